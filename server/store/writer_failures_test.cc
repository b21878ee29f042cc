// What the writer does when the database or its disk fails, and with a log that grows.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/faulty_disk.h"
#include "server/sqlite/transaction.h"
#include "server/store/configuration_sample.h"
#include "server/store/writer_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

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

// Case 35: a shell or a backup of somebody else's, which keeps the log from being emptied.
TEST_F(WriterTest, ACommitWhoseSyncFailedIsUndoneForGoodWhileAnotherProcessReads) {
  FaultyDisk disk;
  Restart();
  Accepted(AssignRequest(0));
  std::unique_ptr<Database> other =
      *Database::Open({.path = path_, .access = Database::Access::kReadOnly});
  auto reading = Transaction::BeginRead(*other);
  ASSERT_THAT(reading, IsOk());
  ASSERT_THAT(other->QueryInteger("SELECT count(*) FROM revision"), IsOkAndHolds(1));
  const auto before = writer_->CurrentSnapshot();
  disk.FailSyncs(1);
  EXPECT_THAT(Failed(AssignRequest(1)),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("nothing was changed")));
  ASSERT_THAT(failures(), SizeIs(2));
  EXPECT_THAT(failures()[1], IsOk());
  EXPECT_EQ(DescribeCopy(), Describe(*before));
  EXPECT_EQ(Accepted(AssignRequest(2)).revision.id.number, 2);
  EXPECT_THAT(other->QueryInteger("SELECT count(*) FROM revision"), IsOkAndHolds(1));
  EXPECT_EQ(DescribeCopy(), Describe(*writer_->CurrentSnapshot()));
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

}  // namespace
}  // namespace autopxe::server
