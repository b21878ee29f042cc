#include "server/store/writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/faulty_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr char kOverlayfs[] = "debian/bookworm/latest/overlayfs";

WriteRequest RequestOf(Batch batch, const std::string& request_id = "",
                       const std::string& digest = "") {
  WriteRequest request;
  request.batch = std::move(batch);
  request.user = "alice";
  request.origin = "ipv4:10.0.0.5:40112";
  request.request_id = request_id;
  request.request_digest = digest;
  return request;
}

WriteRequest AssignRequest(int mac, absl::string_view distro = "local") {
  return RequestOf(BatchOf({SampleAssign(mac, distro)}));
}

// What was published, and a gate at which the writer's thread can be held.
class Audience {
 public:
  void Take(std::shared_ptr<const Change> change, std::shared_ptr<const Snapshot> snapshot) {
    const auto open = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !closed_; };
    absl::MutexLock lock(&mutex_);
    ++arrived_;
    mutex_.Await(absl::Condition(&open));
    changes_.push_back(std::move(change));
    snapshot_ = std::move(snapshot);
  }

  void CloseGate() {
    absl::MutexLock lock(&mutex_);
    closed_ = true;
  }
  void OpenGate() {
    absl::MutexLock lock(&mutex_);
    closed_ = false;
  }
  // Returns once as many changes have come to the gate.
  void AwaitArrivals(int count) {
    const auto arrived = [this, count]()
                             ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return arrived_ >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&arrived));
  }

  std::vector<std::shared_ptr<const Change>> changes() const {
    absl::MutexLock lock(&mutex_);
    return changes_;
  }
  std::shared_ptr<const Snapshot> snapshot() const {
    absl::MutexLock lock(&mutex_);
    return snapshot_;
  }

 private:
  mutable absl::Mutex mutex_;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  int arrived_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::shared_ptr<const Change>> changes_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
};

// Outcomes in the order in which they came.
class Outcomes {
 public:
  std::function<void(WriteOutcome)> Expect(int index) {
    return [this, index](WriteOutcome outcome) {
      absl::MutexLock lock(&mutex_);
      EXPECT_TRUE(outcomes_.emplace(index, std::move(outcome)).second) << index << " came twice";
    };
  }
  void AwaitCount(size_t count) {
    const auto there = [this, count]()
                           ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return outcomes_.size() >= count; };
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&there));
  }
  std::map<int, WriteOutcome> all() const {
    absl::MutexLock lock(&mutex_);
    return outcomes_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::map<int, WriteOutcome> outcomes_ ABSL_GUARDED_BY(mutex_);
};

class WriterTest : public testing::Test {
 protected:
  explicit WriterTest(Writer::Config config = {})
      : path_(folder_.File("autopxe.db")), config_(config) {
    Start();
    writer_->SaveAgentCatalog(*AgentId::Parse("lab"), SampleCatalogs().begin()->second);
    writer_->WaitUntilIdle();
  }

  void Start() {
    store_ = *Store::Open(path_, kNow);
    audience_ = std::make_unique<Audience>();
    writer_ = std::make_unique<Writer>(
        store_.get(), [] { return kNow + absl::Nanoseconds(1); },
        [this](auto change, auto snapshot) { audience_->Take(change, snapshot); },
        [this](const absl::Status& status) {
          absl::MutexLock lock(&mutex_);
          failures_.push_back(status);
        },
        config_);
  }

  void Restart() {
    writer_.reset();
    store_.reset();
    Start();
  }

  WriteOutcome Apply(WriteRequest request) {
    WriteOutcome outcome;
    absl::Notification done;
    writer_->Apply(std::move(request), [&](WriteOutcome result) {
      outcome = std::move(result);
      done.Notify();
    });
    done.WaitForNotification();
    return outcome;
  }

  WriteResult Accepted(WriteRequest request) {
    WriteOutcome outcome = Apply(std::move(request));
    if (const auto* refusal = std::get_if<Refusal>(&outcome)) {
      ADD_FAILURE() << refusal->message;
      return {};
    }
    if (const auto* status = std::get_if<absl::Status>(&outcome)) {
      ADD_FAILURE() << *status;
      return {};
    }
    return std::get<WriteResult>(outcome);
  }

  absl::Status Failed(WriteRequest request) {
    const WriteOutcome outcome = Apply(std::move(request));
    const auto* status = std::get_if<absl::Status>(&outcome);
    return status == nullptr ? absl::OkStatus() : *status;
  }

  // What a server would find that starts after this process was killed now.
  std::string DescribeCopy() {
    const TempFolder other;
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(path_ + suffix, other.File("copy.db") + suffix);
    }
    auto store = Store::Open(other.File("copy.db"), kNow);
    EXPECT_THAT(store, IsOk());
    return Describe(*(*store)->TakeContent().snapshot);
  }

  std::vector<absl::Status> failures() const {
    absl::MutexLock lock(&mutex_);
    return failures_;
  }

  TempFolder folder_;
  const std::string path_;
  const Writer::Config config_;
  mutable absl::Mutex mutex_;
  std::vector<absl::Status> failures_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Audience> audience_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Writer> writer_;
};

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

// Case 35.
TEST_F(WriterTest, AFullDiskIsResourceExhaustedAndChangesNothing) {
  FaultyDisk disk;
  Restart();
  Accepted(AssignRequest(0));
  const auto before = writer_->CurrentSnapshot();
  disk.FillFor(1);
  EXPECT_THAT(Failed(AssignRequest(1)),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("nothing was changed")));
  EXPECT_EQ(writer_->CurrentSnapshot(), before);
  EXPECT_THAT(failures(), SizeIs(testing::Ge(1)));
  EXPECT_EQ(Accepted(AssignRequest(1)).revision.id.number, 2);
  EXPECT_THAT(failures().back(), IsOk());
  Restart();
  EXPECT_EQ(writer_->CurrentSnapshot()->host_count(), 2);
}

// Case 35.
TEST_F(WriterTest, AFailedWriteIsUnavailableAndChangesNothing) {
  FaultyDisk disk;
  Restart();
  Accepted(AssignRequest(0));
  const auto before = writer_->CurrentSnapshot();
  disk.FailWrites(1);
  EXPECT_THAT(Failed(AssignRequest(1)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nothing was changed")));
  EXPECT_EQ(writer_->CurrentSnapshot(), before);
  EXPECT_EQ(Accepted(AssignRequest(2)).revision.id.number, 2);
  Restart();
  EXPECT_EQ(writer_->CurrentSnapshot()->FindHost(SampleMac(1)), nullptr);
  EXPECT_NE(writer_->CurrentSnapshot()->FindHost(SampleMac(2)), nullptr);
}

// Case 35: the log holds the commit, but it is not known to be durable.
TEST_F(WriterTest, ACommitWhoseSyncFailedIsUndoneForGood) {
  FaultyDisk disk;
  Restart();
  Accepted(AssignRequest(0));
  const auto before = writer_->CurrentSnapshot();
  disk.FailSyncs(1);
  EXPECT_THAT(Failed(AssignRequest(1)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nothing was changed")));
  EXPECT_EQ(writer_->CurrentSnapshot(), before);
  EXPECT_THAT(audience_->changes(), SizeIs(1));
  ASSERT_THAT(failures(), SizeIs(2));
  EXPECT_THAT(failures()[0], StatusIs(absl::StatusCode::kUnavailable, HasSubstr("COMMIT")));
  EXPECT_THAT(failures()[1], IsOk());
  EXPECT_EQ(DescribeCopy(), Describe(*before));

  EXPECT_EQ(Accepted(AssignRequest(2)).revision.id.number, 2);
  Restart();
  EXPECT_EQ(writer_->CurrentSnapshot()->FindHost(SampleMac(1)), nullptr);
  EXPECT_NE(writer_->CurrentSnapshot()->FindHost(SampleMac(2)), nullptr);
}

// Case 35.
TEST_F(WriterTest, WhileSyncsFailNothingIsAcknowledged) {
  FaultyDisk disk;
  Restart();
  Accepted(AssignRequest(0));
  const auto before = writer_->CurrentSnapshot();
  disk.FailSyncs(1'000'000);
  const WriteRequest request = RequestOf(BatchOf({SampleAssign(1, "wait")}), "r1", "d1");
  EXPECT_THAT(Failed(request), StatusIs(absl::StatusCode::kUnavailable, HasSubstr("is unknown")));
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(Failed(AssignRequest(2)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nothing was changed")));
  }
  // Reads go on.
  EXPECT_EQ(writer_->CurrentSnapshot(), before);
  EXPECT_THAT(store_->ChangesSince(before->revision().id), IsOk());

  disk.FailSyncs(0);
  EXPECT_EQ(Accepted(request).revision.id.number, 2);
  EXPECT_TRUE(Accepted(request).replayed);
  EXPECT_THAT(audience_->changes(), SizeIs(2));
  EXPECT_EQ(DescribeCopy(), Describe(*writer_->CurrentSnapshot()));
}

// Case 35.
TEST_F(WriterTest, ADatabaseLockedByAnotherProcessIsUnavailable) {
  Accepted(AssignRequest(0));
  {
    std::unique_ptr<Database> other = *Database::Open({.path = path_});
    auto transaction = Transaction::BeginWrite(*other);
    ASSERT_THAT(transaction, IsOk());
    EXPECT_THAT(Failed(AssignRequest(1)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("locked")));
    EXPECT_THAT(Failed(AssignRequest(1)),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("locked")));
  }
  EXPECT_EQ(Accepted(AssignRequest(1)).revision.id.number, 2);
}

TEST_F(WriterTest, TheOutcomesBeforeTheFailedChangeStand) {
  FaultyDisk disk;
  Restart();
  Accepted(AssignRequest(0));
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(1), outcomes.Expect(0));
  audience_->AwaitArrivals(2);
  writer_->Apply(RequestOf(BatchOf({Unassign{SampleMac(999)}})), outcomes.Expect(1));
  writer_->Apply(AssignRequest(0), outcomes.Expect(2));  // Nothing to change.
  writer_->Apply(AssignRequest(3), outcomes.Expect(3));
  writer_->Apply(AssignRequest(3), outcomes.Expect(4));  // Nothing to change, given the one before.
  disk.FailWrites(1);
  audience_->OpenGate();
  outcomes.AwaitCount(5);
  const auto all = outcomes.all();
  EXPECT_TRUE(std::holds_alternative<WriteResult>(all.at(0)));
  EXPECT_TRUE(std::holds_alternative<Refusal>(all.at(1)));
  EXPECT_TRUE(std::holds_alternative<WriteResult>(all.at(2)));
  for (const int failed : {3, 4}) {
    EXPECT_THAT(std::get<absl::Status>(all.at(failed)), StatusIs(absl::StatusCode::kUnavailable));
  }
}

TEST_F(WriterTest, ARequestThatContradictsTheRowsFailsAlone) {
  // Behind the writer's back: the id of the next host is taken.
  writer_.reset();
  store_.reset();
  {
    std::unique_ptr<Database> other = *Database::Open({.path = path_});
    ASSERT_THAT(other->Execute("INSERT INTO host_identity (id) VALUES (1);"
                               "DELETE FROM sqlite_sequence"),
                IsOk());
  }
  Start();
  Outcomes outcomes;
  audience_->CloseGate();
  writer_->Apply(RequestOf(SampleSetup()), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  writer_->Apply(RequestOf(BatchOf({DeleteProfile{*ProfileName::Parse("overlayfs")}})),
                 outcomes.Expect(1));
  writer_->Apply(AssignRequest(1), outcomes.Expect(2));
  writer_->Apply(RequestOf(SampleSetup()), outcomes.Expect(3));
  audience_->OpenGate();
  outcomes.AwaitCount(4);
  const auto all = outcomes.all();
  EXPECT_THAT(std::get<absl::Status>(all.at(2)),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("nothing was changed")));
  EXPECT_EQ(std::get<WriteResult>(all.at(1)).revision.id.number, 2);
  EXPECT_EQ(std::get<WriteResult>(all.at(3)).revision.id.number, 3);
  const auto before = writer_->CurrentSnapshot();
  Restart();
  EXPECT_EQ(Describe(*writer_->CurrentSnapshot()), Describe(*before));
}

class SmallLogTest : public WriterTest {
 protected:
  SmallLogTest() : WriterTest({.checkpoint_pages = 10}) {}
};

// Case 36: the writer's connection does it, and it alone.
TEST_F(SmallLogTest, TheLogIsCheckpointedBetweenRequests) {
  for (int i = 0; i < 60; ++i) {
    Accepted(AssignRequest(i));
    writer_->WaitUntilIdle();
    EXPECT_LT(store_->writing().wal_pages(), 10);
  }
}

TEST_F(WriterTest, WhatAgentsReportIsThereAfterARestart) {
  const AgentId id = *AgentId::Parse("attic");
  const AgentStatus status{.instance = *AgentInstance::Parse("i1"),
                           .applied = {.number = 3, .tag = 9},
                           .version = "0.1.0",
                           .start_time = kNow + absl::Nanoseconds(7),
                           .http_address = absl::nullopt,
                           .tftp_address = absl::nullopt};
  writer_->SaveAgentStatus(id, status, kNow);
  writer_->WaitUntilIdle();
  Restart();
  AgentReports reports = writer_->CurrentAgentReports();
  ASSERT_THAT(reports, SizeIs(2));
  EXPECT_EQ(reports.at(id).status->applied, status.applied);
  EXPECT_EQ(reports.at(id).last_seen, kNow);
  EXPECT_EQ(reports.at(id).catalog, nullptr);
  EXPECT_EQ(*reports.at(*AgentId::Parse("lab")).catalog, *SampleCatalogs().begin()->second);
  // No revision for it.
  EXPECT_EQ(writer_->CurrentSnapshot()->revision().id.number, 0);
}

TEST_F(WriterTest, StoppingWritesTheReportsThatWait) {
  const AgentId id = *AgentId::Parse("attic");
  audience_->CloseGate();
  Outcomes outcomes;
  writer_->Apply(AssignRequest(0), outcomes.Expect(0));
  audience_->AwaitArrivals(1);
  for (int i = 1; i <= 3; ++i) {
    AgentStatus status{.instance = *AgentInstance::Parse("i1"),
                       .applied = {.number = i, .tag = 9},
                       .version = "",
                       .start_time = kNow,
                       .http_address = absl::nullopt,
                       .tftp_address = absl::nullopt};
    writer_->SaveAgentStatus(id, status, kNow + absl::Seconds(i));
  }
  std::thread stopper([&] { writer_->Stop(); });
  audience_->OpenGate();
  stopper.join();
  Restart();
  EXPECT_EQ(writer_->CurrentAgentReports().at(id).status->applied.number, 3);
}

TEST_F(WriterTest, AReportThatIsAsBeforeIsNotWritten) {
  FaultyDisk disk;
  Restart();
  const int64_t before = disk.syncs();
  for (int i = 0; i < 3; ++i) {
    writer_->SaveAgentCatalog(*AgentId::Parse("lab"),
                              std::make_shared<Catalog>(*SampleCatalogs().begin()->second));
    writer_->WaitUntilIdle();
  }
  EXPECT_EQ(disk.syncs(), before);
}

// One agent's reports, which come every 30 s, and how often the disk was waited for.
class StatusReportTest : public WriterTest {
 protected:
  StatusReportTest() { Restart(); }

  // Whether the report was written.
  bool IsWritten(absl::Duration after, const AgentStatus& status) {
    writer_->SaveAgentStatus(attic_, status, kNow + after);
    return HasWritten();
  }
  bool HasWritten() {
    const int64_t before = syncs_;
    writer_->WaitUntilIdle();
    syncs_ = disk_.syncs();
    return syncs_ > before;
  }

  FaultyDisk disk_;
  int64_t syncs_ = 0;
  const AgentId attic_ = *AgentId::Parse("attic");
  AgentStatus status_{.instance = *AgentInstance::Parse("i1"),
                      .applied = {.number = 3, .tag = 9},
                      .view_age = absl::Seconds(1)};
};

TEST_F(StatusReportTest, AReportThatDiffersInItsAgeAloneIsWrittenEveryTenMinutes) {
  EXPECT_TRUE(IsWritten(absl::ZeroDuration(), status_));
  for (int seconds = 30; seconds < 600; seconds += 30) {
    status_.view_age = absl::Seconds(1 + seconds % 7);
    EXPECT_FALSE(IsWritten(absl::Seconds(seconds), status_)) << seconds;
  }
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).last_seen, kNow + absl::Seconds(570));
  status_.view_age = absl::Seconds(5);
  EXPECT_TRUE(IsWritten(absl::Minutes(10), status_));
  EXPECT_FALSE(IsWritten(absl::Minutes(19), status_));
  EXPECT_TRUE(IsWritten(-absl::Hours(1), status_)) << "the clock was set back";
  Restart();
  const AgentReport report = writer_->CurrentAgentReports().at(attic_);
  EXPECT_EQ(report.last_seen, kNow - absl::Hours(1));
  EXPECT_EQ(report.status, status_);
  // What is on disk is known after a restart.
  HasWritten();
  EXPECT_FALSE(IsWritten(absl::Minutes(1) - absl::Hours(1), status_));
}

TEST_F(StatusReportTest, AReportThatDiffersInAnythingElseIsWrittenAtOnce) {
  EXPECT_TRUE(IsWritten(absl::ZeroDuration(), status_));
  status_.problems = {"the disk is full"};
  EXPECT_TRUE(IsWritten(absl::Seconds(30), status_));
  status_.applied.number = 4;
  EXPECT_TRUE(IsWritten(absl::Seconds(31), status_));
  status_.view_age = absl::nullopt;
  EXPECT_TRUE(IsWritten(absl::Seconds(32), status_)) << "it serves nothing any more";
  EXPECT_FALSE(IsWritten(absl::Seconds(62), status_));
}

TEST_F(StatusReportTest, WhenItWasLastSeenIsWrittenWhenItsWatchEnds) {
  IsWritten(absl::ZeroDuration(), status_);
  writer_->SaveLastSeen(attic_);
  writer_->SaveLastSeen(*AgentId::Parse("nobody"));
  EXPECT_FALSE(HasWritten());
  status_.view_age = absl::Seconds(9);
  EXPECT_FALSE(IsWritten(absl::Seconds(30), status_));
  writer_->SaveLastSeen(attic_);
  EXPECT_TRUE(HasWritten());
  Restart();
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).last_seen, kNow + absl::Seconds(30));
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).status, status_);
}

TEST_F(StatusReportTest, AReportAsBeforeTriesAgainWhatCouldNotBeWritten) {
  disk_.FailWrites(1);
  IsWritten(absl::ZeroDuration(), status_);
  EXPECT_TRUE(IsWritten(absl::Seconds(30), status_));
  Restart();
  EXPECT_EQ(writer_->CurrentAgentReports().at(attic_).last_seen, kNow + absl::Seconds(30));
}

TEST_F(WriterTest, ADeletedReportIsGoneFromPlansAndAfterARestart) {
  const AgentId lab = *AgentId::Parse("lab");
  absl::Notification done;
  writer_->DeleteAgentReport(lab, [&](const absl::Status& status) {
    EXPECT_THAT(status, IsOk());
    done.Notify();
  });
  EXPECT_THAT(*writer_->CurrentCatalogs(), SizeIs(0));
  done.WaitForNotification();
  Restart();
  EXPECT_THAT(writer_->CurrentAgentReports(), SizeIs(0));
}

TEST_F(WriterTest, ADeletionThatCouldNotBeWrittenIsToldAndWrittenLaterAndWhatCameSinceStays) {
  FaultyDisk disk;
  Restart();
  disk.FailWrites(1);
  const AgentId lab = *AgentId::Parse("lab");
  absl::Notification done;
  writer_->DeleteAgentReport(lab, [&](const absl::Status& status) {
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, HasSubstr("no longer listed")));
    done.Notify();
  });
  done.WaitForNotification();
  const AgentStatus status{.instance = *AgentInstance::Parse("i2"), .start_time = kNow};
  writer_->SaveAgentStatus(lab, status, kNow);
  writer_->WaitUntilIdle();
  Restart();
  const AgentReports reports = writer_->CurrentAgentReports();
  ASSERT_THAT(reports, SizeIs(1));
  EXPECT_EQ(reports.at(lab).status, status);
  EXPECT_EQ(reports.at(lab).catalog, nullptr) << "deleted before";
}

TEST_F(WriterTest, AReportThatCouldNotBeWrittenIsWrittenLater) {
  FaultyDisk disk;
  Restart();
  disk.FailWrites(1);
  const CountedMove moved = {{"debian", "bookworm", "latest", "6.1.0-25", "6.1.0-28"}, 212};
  writer_->SaveAgentCatalog(*AgentId::Parse("attic"), SampleCatalogs().begin()->second, {moved});
  writer_->WaitUntilIdle();
  EXPECT_THAT(failures(), ElementsAre(StatusIs(absl::StatusCode::kUnavailable)));
  Accepted(AssignRequest(0));
  writer_->WaitUntilIdle();
  Restart();
  EXPECT_THAT(*writer_->CurrentCatalogs(), SizeIs(2));
  const RecordedMove recorded = {1, kNow, *AgentId::Parse("attic"), moved};
  EXPECT_THAT(*writer_->CurrentKernelMoves(), ElementsAre(recorded));
}

TEST_F(WriterTest, APlanSeesACatalogAsSoonAsItWasReported) {
  Accepted(RequestOf(SampleSetup()));
  const WriteOutcome refused = Apply(AssignRequest(1, "debian/trixie/latest/overlayfs"));
  EXPECT_TRUE(std::holds_alternative<Refusal>(refused));
  auto catalog = std::make_shared<Catalog>(*SampleCatalogs().begin()->second);
  catalog->distros[0].releases.push_back(catalog->distros[0].releases[0]);
  catalog->distros[0].releases[1].name = "trixie";
  writer_->SaveAgentCatalog(*AgentId::Parse("attic"), catalog);
  Accepted(AssignRequest(1, "debian/trixie/latest/overlayfs"));
}

}  // namespace
}  // namespace autopxe::server
