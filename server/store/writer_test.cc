// Requests, from the queue to what is published. What fails, what agents report and what is done
// between requests have tests of their own.

#include "server/store/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <thread>

#include "common/status/status_matchers.h"
#include "server/sqlite/faulty_disk.h"
#include "server/store/configuration_sample.h"
#include "server/store/writer_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(WriterTest, AnAcceptedRequestIsOneRevision) {
  Accepted(RequestOf(SampleSetup()));
  const WriteResult result = Accepted(
      RequestOf(BatchOf({SampleAssign(1, kOverlayfs), SampleAssign(2, "wait")}), "r1", "d1"));
  EXPECT_EQ(result.revision.id.number, 2);
  EXPECT_NE(result.revision.id.tag, 0);
  EXPECT_EQ(result.revision.time, kNow);  // Whole microseconds, as stored.
  EXPECT_EQ(result.revision.user, "alice");
  EXPECT_EQ(result.revision.origin, "ipv4:10.0.0.5:40112");
  EXPECT_EQ(result.revision.request_id, "r1");
  EXPECT_FALSE(result.replayed);
  EXPECT_THAT(result.differences, SizeIs(4));

  // Published before it was answered.
  ASSERT_THAT(audience_->changes(), SizeIs(2));
  EXPECT_EQ(audience_->changes()[1]->revision, result.revision);
  EXPECT_EQ(audience_->snapshot(), writer_->CurrentSnapshot());
  EXPECT_EQ(audience_->snapshot()->FindHost(SampleMac(1))->distro, *Distro::Parse(kOverlayfs));
}

TEST_F(WriterTest, EveryRevisionHasATagOfItsOwn) {
  std::set<uint64_t> tags;
  for (int i = 0; i < 20; ++i) tags.insert(Accepted(AssignRequest(i)).revision.id.tag);
  EXPECT_THAT(tags, SizeIs(20));
}

TEST_F(WriterTest, ARefusedRequestBurnsNoRevisionAndFailsNoNeighbour) {
  Accepted(AssignRequest(0));
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(100), outcomes.Expect(0));
  audience_->AwaitArrivals(2);
  // All of these go into one transaction.
  for (int i = 1; i <= 9; ++i) {
    writer_->Apply(i % 3 == 0 ? RequestOf(BatchOf({Unassign{SampleMac(999)}})) : AssignRequest(i),
                   outcomes.Expect(i));
  }
  audience_->OpenGate();
  outcomes.AwaitCount(10);
  int64_t number = 2;
  for (const auto& [index, outcome] : outcomes.all()) {
    if (index > 0 && index % 3 == 0) {
      ASSERT_TRUE(std::holds_alternative<Refusal>(outcome));
      EXPECT_EQ(std::get<Refusal>(outcome).code, absl::StatusCode::kNotFound);
    } else {
      ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome));
      EXPECT_EQ(std::get<WriteResult>(outcome).revision.id.number, number++);
    }
  }
  EXPECT_EQ(writer_->CurrentSnapshot()->revision().id.number, 8);
}

// Case 45.
TEST_F(WriterTest, OfTwoRequestsWithOneEtagOneWins) {
  const int64_t etag = Accepted(AssignRequest(1)).revision.id.number;
  Outcomes outcomes;
  for (int i = 0; i < 2; ++i) {
    WriteRequest request = AssignRequest(1, i == 0 ? "wait" : "menu");
    request.batch.expected_etags = {{.resource = HostReference(SampleMac(1)), .etag = etag}};
    writer_->Apply(std::move(request), outcomes.Expect(i));
  }
  outcomes.AwaitCount(2);
  EXPECT_TRUE(std::holds_alternative<WriteResult>(outcomes.all().at(0)));
  ASSERT_TRUE(std::holds_alternative<Refusal>(outcomes.all().at(1)));
  EXPECT_EQ(std::get<Refusal>(outcomes.all().at(1)).code, absl::StatusCode::kAborted);
  EXPECT_EQ(writer_->CurrentSnapshot()->FindHost(SampleMac(1))->distro, Distro::Wait());
}

TEST_F(WriterTest, NothingToChangeMakesNoRevision) {
  const Revision made = Accepted(AssignRequest(1)).revision;
  const WriteResult again = Accepted(AssignRequest(1));
  EXPECT_EQ(again.revision, made);
  EXPECT_THAT(again.differences, IsEmpty());
  EXPECT_FALSE(again.replayed);
  EXPECT_THAT(audience_->changes(), SizeIs(1));
}

TEST_F(WriterTest, ValidateOnlyTellsWhatWouldBeAndChangesNothing) {
  const Revision current = Accepted(AssignRequest(1)).revision;
  WriteRequest request = RequestOf(BatchOf({SampleAssign(2, "wait")}), "r1", "d1");
  request.validate_only = true;
  const WriteResult result = Accepted(request);
  EXPECT_EQ(result.revision, current);
  EXPECT_THAT(result.differences, SizeIs(2));
  EXPECT_EQ(writer_->CurrentSnapshot()->FindHost(SampleMac(2)), nullptr);
  // The request id is still free.
  request.validate_only = false;
  EXPECT_EQ(Accepted(request).revision.id.number, 2);
}

TEST_F(WriterTest, ARequestSentAgainIsAppliedOnce) {
  const WriteRequest request = RequestOf(BatchOf({SampleAssign(1, "wait")}), "r1", "d1");
  const Revision made = Accepted(request).revision;
  Accepted(AssignRequest(1, "menu"));
  for (int round = 0; round < 2; ++round) {
    const WriteResult replay = Accepted(request);
    EXPECT_TRUE(replay.replayed);
    EXPECT_EQ(replay.revision, made);
    EXPECT_THAT(replay.differences, IsEmpty());
    EXPECT_EQ(writer_->CurrentSnapshot()->FindHost(SampleMac(1))->distro, Distro::Menu());
    Restart();
  }
}

TEST_F(WriterTest, ARequestSentTwiceInOneTransactionIsAppliedOnce) {
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(0), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  for (int i = 1; i <= 2; ++i) {
    writer_->Apply(RequestOf(BatchOf({SampleAssign(1, "wait")}), "r1", "d1"), outcomes.Expect(i));
  }
  audience_->OpenGate();
  outcomes.AwaitCount(3);
  const WriteResult first = std::get<WriteResult>(outcomes.all().at(1));
  const WriteResult second = std::get<WriteResult>(outcomes.all().at(2));
  EXPECT_FALSE(first.replayed);
  EXPECT_TRUE(second.replayed);
  EXPECT_EQ(first.revision, second.revision);
}

TEST_F(WriterTest, ARequestIdIsNotUsedForAnotherRequest) {
  Accepted(RequestOf(BatchOf({SampleAssign(1, "wait")}), "r1", "d1"));
  const WriteOutcome outcome = Apply(RequestOf(BatchOf({SampleAssign(2, "wait")}), "r1", "d2"));
  ASSERT_TRUE(std::holds_alternative<Refusal>(outcome));
  const Refusal& refusal = std::get<Refusal>(outcome);
  EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument);
  ASSERT_THAT(refusal.problems, SizeIs(1));
  EXPECT_EQ(refusal.problems[0].reason, Reason::kRequestIdReused);
  EXPECT_THAT(refusal.message, HasSubstr("request id \"r1\""));
}

TEST_F(WriterTest, WhatWaitsIsCommittedTogether) {
  FaultyDisk disk;  // Counts.
  Restart();
  Accepted(AssignRequest(0));
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(1), outcomes.Expect(0));
  audience_->AwaitArrivals(2);
  const int64_t before = disk.syncs();
  std::vector<std::thread> callers;
  for (int i = 1; i <= 64; ++i) {
    callers.emplace_back([&, i] { writer_->Apply(AssignRequest(100 + i), outcomes.Expect(i)); });
  }
  for (std::thread& caller : callers) caller.join();
  audience_->OpenGate();
  outcomes.AwaitCount(65);
  EXPECT_EQ(disk.syncs() - before, 1);
  std::set<int64_t> numbers;
  for (const auto& [index, outcome] : outcomes.all()) {
    ASSERT_TRUE(std::holds_alternative<WriteResult>(outcome));
    numbers.insert(std::get<WriteResult>(outcome).revision.id.number);
  }
  // No gap and no repeat.
  EXPECT_THAT(numbers, SizeIs(65));
  EXPECT_EQ(*numbers.begin(), 2);
  EXPECT_EQ(*numbers.rbegin(), 66);
  EXPECT_THAT(audience_->changes(), SizeIs(66));
}

class SmallQueueTest : public WriterTest {
 protected:
  SmallQueueTest() : WriterTest({.max_requests = 2, .max_mutations = 10}) {}
};

TEST_F(SmallQueueTest, AFullQueueRefusesAtOnceAndDropsNothing) {
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(0), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  for (int i = 1; i <= 4; ++i) writer_->Apply(AssignRequest(i), outcomes.Expect(i));
  for (const int refused : {3, 4}) {
    ASSERT_EQ(outcomes.all().count(refused), 1);
    EXPECT_THAT(std::get<absl::Status>(outcomes.all().at(refused)),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("2 requests")));
  }
  audience_->OpenGate();
  outcomes.AwaitCount(5);
  EXPECT_EQ(writer_->CurrentSnapshot()->revision().id.number, 3);
}

TEST_F(SmallQueueTest, AQueueIsAlsoFullByItsMutations) {
  const auto batch = [](int first, int count) {
    Batch result;
    for (int i = 0; i < count; ++i) result.mutations.push_back(SampleAssign(first + i, "wait"));
    return RequestOf(result);
  };
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(0), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  writer_->Apply(batch(100, 50), outcomes.Expect(1));  // Alone it may always wait.
  writer_->Apply(batch(200, 1), outcomes.Expect(2));
  EXPECT_THAT(std::get<absl::Status>(outcomes.all().at(2)),
              StatusIs(absl::StatusCode::kResourceExhausted));
  audience_->OpenGate();
  outcomes.AwaitCount(3);
  EXPECT_EQ(writer_->CurrentSnapshot()->host_count(), 51);
}

TEST_F(WriterTest, StoppingAnswersEverybodyOnce) {
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(0), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  for (int i = 1; i <= 5; ++i) writer_->Apply(AssignRequest(i), outcomes.Expect(i));
  std::thread stopper([&] { writer_->Stop(); });
  // Refused at once as soon as the writer is stopping.
  const auto refused_as_stopping = [&](int index) {
    const auto all = outcomes.all();
    const auto found = all.find(index);
    return found != all.end() && absl::IsUnavailable(std::get<absl::Status>(found->second));
  };
  int next = 5;
  do {
    std::this_thread::yield();
    ++next;
    writer_->Apply(AssignRequest(next), outcomes.Expect(next));
  } while (!refused_as_stopping(next));
  audience_->OpenGate();
  stopper.join();
  const auto all = outcomes.all();
  EXPECT_THAT(all, SizeIs(next + 1));
  EXPECT_TRUE(std::holds_alternative<WriteResult>(all.at(0)));
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THAT(std::get<absl::Status>(all.at(i)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  }
  Restart();
  EXPECT_EQ(writer_->CurrentSnapshot()->revision().id.number, 1);
}

TEST_F(WriterTest, AfterARestartTheConfigurationIsTheSame) {
  std::mt19937 random(20241122);
  for (int round = 0; round < 5; ++round) {
    for (int i = 0; i < 60; ++i) {
      EXPECT_TRUE(Failed(RequestOf(RandomBatch(random))).ok());
    }
    const auto before = writer_->CurrentSnapshot();
    EXPECT_EQ(audience_->snapshot(), before);
    Restart();
    ASSERT_EQ(Describe(*writer_->CurrentSnapshot()), Describe(*before)) << "round " << round;
  }
  EXPECT_GT(writer_->CurrentSnapshot()->revision().id.number, 50);
}

TEST_F(WriterTest, WhatIsPublishedIsWhatTheStoreTells) {
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) Apply(RequestOf(RandomBatch(random)));
  const auto published = audience_->changes();
  ASSERT_GT(published.size(), 10);
  const auto told = store_->ChangesSince(published[0]->revision.id);
  ASSERT_THAT(told, IsOk());
  ASSERT_TRUE(told->has_value());
  ASSERT_EQ((*told)->size(), published.size() - 1);
  for (size_t i = 1; i < published.size(); ++i) {
    EXPECT_EQ(Describe((**told)[i - 1]), Describe(*published[i]));
  }
}

}  // namespace
}  // namespace autopxe::server
