#include "server/store/kernel_move_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "common/status/status_matchers.h"
#include "migrations/migrations.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/schema.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class KernelMoveRowsTest : public testing::Test {
 protected:
  KernelMoveRowsTest() {
    const std::string path = folder_.File("test.db");
    EXPECT_THAT(Database::CreateFile(path, kApplicationId), IsOk());
    database_ = *Database::Open({.path = path});
    EXPECT_THAT(UpgradeSchema(*database_, Migrations(), kNow), IsOk());
  }

  static RecordedMove Move(int64_t id) {
    return {.id = id,
            .time = kNow + absl::Seconds(id),
            .agent = *AgentId::Parse("lab"),
            .counted = {{"debian", "bookworm", "latest", "6.1.0-25", "6.1.0-28"}, 212}};
  }

  TempFolder folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(KernelMoveRowsTest, WhatMovedIsReadBackInOrder) {
  EXPECT_THAT(LoadKernelMoves(*database_), IsOkAndHolds(IsEmpty()));
  ASSERT_THAT(WriteKernelMoves(*database_, {}), IsOk());
  ASSERT_THAT(WriteKernelMoves(*database_, {Move(1), Move(2)}), IsOk());
  // Again, when it is not known whether it was written.
  ASSERT_THAT(WriteKernelMoves(*database_, {Move(2), Move(3)}), IsOk());
  const RecordedMoves expected = {Move(1), Move(2), Move(3)};
  EXPECT_THAT(LoadKernelMoves(*database_), IsOkAndHolds(expected));
}

TEST_F(KernelMoveRowsTest, TheOldestAreDeleted) {
  RecordedMoves moves;
  for (int64_t id = 1; id <= static_cast<int64_t>(kMaxMoves) + 5; ++id) moves.push_back(Move(id));
  ASSERT_THAT(WriteKernelMoves(*database_, moves), IsOk());
  const auto kept = LoadKernelMoves(*database_);
  ASSERT_THAT(kept, IsOk());
  EXPECT_EQ(kept->size(), kMaxMoves);
  EXPECT_EQ(kept->front(), Move(6));
}

TEST_F(KernelMoveRowsTest, ARowThatIsNoValueIsDataLoss) {
  ASSERT_THAT(WriteKernelMoves(*database_, {Move(1)}), IsOk());
  ASSERT_THAT(database_->Execute("UPDATE kernel_move SET agent_id = 'a b'"), IsOk());
  EXPECT_THAT(LoadKernelMoves(*database_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("table kernel_move: ")));
}

}  // namespace
}  // namespace autopxe::server
