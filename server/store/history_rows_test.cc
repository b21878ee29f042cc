#include "server/store/history_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/status_matchers.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"
#include "server/store/configuration_sample.h"
#include "server/store/store.h"
#include "server/store/write_group.h"

namespace autopxe::server {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// Revisions an hour apart.
class HistoryRowsTest : public testing::Test {
 protected:
  HistoryRowsTest() {
    store_ = *Store::Open(folder_.File("autopxe.db"), kNow);
    Store::Content content = store_->TakeContent();
    snapshot_ = content.snapshot;
    next_host_id_ = content.next_host_id;
  }

  RevisionId Write(Batch batch) {
    time_ += absl::Hours(1);
    WriteGroup group(store_->writing(), snapshot_, catalogs_, next_host_id_, time_);
    WriteRequest request;
    request.batch = std::move(batch);
    const auto outcome = group.Take(request);
    EXPECT_THAT(outcome, IsOk());
    EXPECT_THAT(group.Commit(), IsOk());
    EXPECT_EQ(group.steps().size(), 1);
    snapshot_ = group.steps().back().snapshot;
    next_host_id_ = group.next_host_id();
    return snapshot_->revision().id;
  }

  bool Move(absl::Time until, int at_most = 1000) {
    auto transaction = Transaction::BeginWrite(store_->writing());
    const auto moved = MoveHorizon(store_->writing(), until, at_most);
    EXPECT_THAT(moved, IsOk());
    EXPECT_THAT(transaction->Commit(), IsOk());
    return *moved;
  }

  int64_t Delete(int at_most) {
    auto transaction = Transaction::BeginWrite(store_->writing());
    const auto deleted = DeleteEndedRows(store_->writing(), at_most);
    EXPECT_THAT(deleted, IsOk());
    EXPECT_THAT(transaction->Commit(), IsOk());
    return *deleted;
  }

  int64_t Count(const std::string& what) {
    return store_->writing().QueryInteger("SELECT count(*) FROM " + what).value_or(-1);
  }

  int64_t TrimmedTo() {
    return store_->writing().QueryInteger("SELECT trimmed_to FROM history").value_or(-1);
  }

  // -1: a snapshot.
  int ChangesSince(const RevisionId& since) {
    const auto changes = store_->ChangesSince(since);
    EXPECT_THAT(changes, IsOk());
    return *changes ? static_cast<int>((*changes)->size()) : -1;
  }

  TempFolder folder_;
  const Catalogs catalogs_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<const Snapshot> snapshot_;
  HostId next_host_id_{1};
  absl::Time time_ = kNow;
};

TEST_F(HistoryRowsTest, TheHorizonIsTheLastRevisionThatIsOldEnough) {
  for (int i = 0; i < 5; ++i) Write(BatchOf({SampleAssign(1, i % 2 == 0 ? "local" : "wait")}));
  EXPECT_FALSE(Move(kNow));
  EXPECT_EQ(TrimmedTo(), 0);
  EXPECT_TRUE(Move(kNow + absl::Hours(3)));
  EXPECT_EQ(TrimmedTo(), 3);
  EXPECT_FALSE(Move(kNow + absl::Hours(3)));
  EXPECT_FALSE(Move(kNow));
  EXPECT_EQ(TrimmedTo(), 3);
  EXPECT_TRUE(Move(absl::InfiniteFuture(), 1));
  EXPECT_EQ(TrimmedTo(), 4);
}

// A clock that was ahead for a while must not keep everything that came later.
TEST_F(HistoryRowsTest, ARevisionFromTheFutureIsNoYoungerThanWhatFollowsIt) {
  Write(BatchOf({SampleAssign(1, "local")}));
  time_ += absl::Hours(1000);
  Write(BatchOf({SampleAssign(1, "wait")}));
  EXPECT_TRUE(Move(kNow + absl::Hours(500)));
  EXPECT_EQ(TrimmedTo(), 1);
  time_ -= absl::Hours(1000);
  Write(BatchOf({SampleAssign(1, "local")}));
  EXPECT_TRUE(Move(kNow + absl::Hours(500)));
  EXPECT_EQ(TrimmedTo(), 3);
}

TEST_F(HistoryRowsTest, WhatEndedIsDeletedPieceByPieceAndWhatHoldsStays) {
  Write(SampleSetup());
  for (int i = 0; i < 30; ++i) {
    Write(BatchOf({SampleAssign(i % 3, i / 3 % 2 == 0 ? "local" : "wait")}));
  }
  UpdateSettings update;
  update.set_variables = {{*VariableName::Parse("nfs-server"), *VariableValue::Parse("10.0.0.1")}};
  Write(BatchOf({update}));
  Write(BatchOf({SampleDeclare("memtest", "a"), SampleDeclare("other", "a")}));
  Write(
      BatchOf({SampleDeclare("memtest", "b"), DeleteDeclaredDistro{*DistroName::Parse("other")}}));
  Write(BatchOf({DeleteHost{SampleMac(2)}, DeleteProfile{*ProfileName::Parse("overlayfs")}}));
  const std::string before = Describe(*snapshot_);
  ASSERT_TRUE(Move(absl::InfiniteFuture()));
  int pieces = 0;
  while (const int64_t deleted = Delete(4)) {
    EXPECT_LE(deleted, 7 * 4);
    ++pieces;
  }
  EXPECT_GE(pieces, 7);
  for (const char* table : {"host", "host_mac", "assignment", "profile", "setting", "variable",
                            "agent_setting", "declared_distro"}) {
    EXPECT_EQ(Count(std::string(table) + " WHERE valid_to IS NOT NULL"), 0) << table;
  }
  EXPECT_EQ(Count("host"), 2);
  EXPECT_EQ(Count("declared_distro"), 1);
  // Who changed what, and the ids that no host gets again.
  EXPECT_EQ(Count("revision"), snapshot_->revision().id.number);
  EXPECT_EQ(Count("host_identity"), 3);
  store_.reset();
  store_ = *Store::Open(folder_.File("autopxe.db"), kNow);
  EXPECT_EQ(Describe(*store_->TakeContent().snapshot), before);
}

// Cases 38 and 40.
TEST_F(HistoryRowsTest, ChangesAreToldFromTheHorizonOnAndNotFromBeforeIt) {
  std::vector<RevisionId> revisions = {RevisionId()};
  for (int i = 1; i <= 8; ++i) revisions.push_back(Write(BatchOf({SampleAssign(i, "local")})));
  revisions.push_back(Write(BatchOf({DeleteHost{SampleMac(1)}})));
  revisions.push_back(Write(BatchOf({DeleteHost{SampleMac(2)}})));
  revisions.push_back(Write(BatchOf({SampleAssign(3, "wait")})));
  ASSERT_TRUE(Move(kNow + absl::Hours(9)));
  Delete(1000);
  ASSERT_EQ(TrimmedTo(), 9);
  for (size_t number = 1; number < revisions.size(); ++number) {
    EXPECT_EQ(ChangesSince(revisions[number]), number < 9 ? -1 : 11 - static_cast<int>(number))
        << number;
  }
  // The delete just behind the horizon is seen, and the host that it left.
  const auto changes = store_->ChangesSince(revisions[9]);
  ASSERT_EQ((**changes)[0].deleted_hosts.size(), 1);
  EXPECT_EQ((**changes)[0].deleted_hosts[0], HostId{2});
  ASSERT_EQ((**changes)[1].hosts.size(), 1);
  EXPECT_EQ((**changes)[1].hosts[0]->distro, Distro::Wait());
}

// What a random history tells from each revision at or behind the horizon is what it told before.
TEST_F(HistoryRowsTest, TrimmingChangesNothingThatCanStillBeTold) {
  std::mt19937 random(11);
  std::vector<RevisionId> revisions;
  for (int i = 0; i < 150; ++i) {
    time_ += absl::Hours(1);
    WriteGroup group(store_->writing(), snapshot_, catalogs_, next_host_id_, time_);
    WriteRequest request;
    request.batch = RandomBatch(random);
    ASSERT_THAT(group.Take(request), IsOk());
    ASSERT_THAT(group.Commit(), IsOk());
    if (group.steps().empty()) continue;
    snapshot_ = group.steps().back().snapshot;
    next_host_id_ = group.next_host_id();
    revisions.push_back(snapshot_->revision().id);
  }
  const auto told = [&](const RevisionId& since) {
    std::string text;
    const auto changes = store_->ChangesSince(since);
    if (!changes.ok() || !*changes) return std::string("none");
    for (const Change& change : **changes) text += Describe(change);
    return text;
  };
  const size_t horizon = revisions.size() / 2;
  std::vector<std::string> before;
  for (const RevisionId& revision : revisions) before.push_back(told(revision));
  const auto time = store_->writing().QueryInteger("SELECT time_us FROM revision WHERE number = " +
                                                   std::to_string(revisions[horizon].number));
  ASSERT_TRUE(Move(absl::FromUnixMicros(*time)));
  ASSERT_EQ(TrimmedTo(), revisions[horizon].number);
  EXPECT_GT(Delete(100'000), 0);
  for (size_t i = 0; i < revisions.size(); ++i) {
    EXPECT_EQ(told(revisions[i]), i < horizon ? "none" : before[i]) << i;
  }
}

}  // namespace
}  // namespace autopxe::server
