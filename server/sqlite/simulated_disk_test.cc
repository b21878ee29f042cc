// Case 34: that the simulated disk forgets what a real one would.

#include "server/sqlite/simulated_disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;

// How many of ten acknowledged rows are there after the power failed, for each of many seeds.
std::set<int64_t> RowsLeft(const std::string& synchronous) {
  std::set<int64_t> counts;
  for (uint32_t seed = 0; seed < 40; ++seed) {
    const TempFolder folder;
    const std::string path = folder.File("test.db");
    SimulatedDisk disk(seed);
    EXPECT_THAT(Database::CreateFile(path, 1), IsOk());
    {
      auto database = *Database::Open({.path = path});
      EXPECT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
      EXPECT_THAT(database->CheckpointAndTruncate(), IsOkAndHolds(true));
      EXPECT_THAT(database->Execute("PRAGMA synchronous = " + synchronous), IsOk());
      for (int i = 0; i < 10; ++i) {
        EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"), IsOk());
      }
      disk.CutPowerAfter(0);
    }
    disk.RestorePower();
    auto database = Database::Open({.path = path});
    EXPECT_THAT(database, IsOk());
    EXPECT_THAT((*database)->QuickCheck(), IsOk());
    counts.insert((*database)->QueryInteger("SELECT count(*) FROM t").value_or(-1));
  }
  return counts;
}

TEST(SimulatedDiskTest, WhatWasSyncedIsThereAfterAPowerFailureAndNothingElseNeedBe) {
  EXPECT_THAT(RowsLeft("FULL"), ElementsAre(10));
  for (const char* too_little : {"NORMAL", "OFF"}) {
    const std::set<int64_t> left = RowsLeft(too_little);
    EXPECT_LT(*left.begin(), 10) << too_little;
    EXPECT_GT(left.size(), 2) << too_little;
  }
}

// A name that the folder's sync makes durable must not lead to content that is not.
TEST(SimulatedDiskTest, ANewDatabaseIsSyncedBeforeItGetsItsName) {
  const TempFolder folder;
  SimulatedDisk disk(1);
  ASSERT_THAT(Database::CreateFile(folder.File("test.db"), 1), IsOk());
  EXPECT_EQ(disk.unsynced(folder.File("test.db.new")), 0);
}

}  // namespace
}  // namespace autopxe::server
