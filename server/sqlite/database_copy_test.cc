#include "server/sqlite/database_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/faulty_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"

namespace autopxe::server {
namespace {

using ::testing::_;
using ::testing::HasSubstr;

class DatabaseCopyTest : public testing::Test {
 protected:
  DatabaseCopyTest() : path_(folder_.File("test.db")), copy_path_(folder_.File("copy.db")) {
    EXPECT_THAT(Database::CreateFile(path_, 0x1234), IsOk());
    source_ = *Database::Open({.path = path_});
    EXPECT_THAT(source_->Execute("CREATE TABLE t (i INTEGER PRIMARY KEY, s TEXT) STRICT"), IsOk());
    for (int i = 0; i < 200; ++i) Insert();
  }

  // A page each.
  void Insert() {
    ASSERT_THAT(source_->Run("INSERT INTO t (s) VALUES (hex(zeroblob(1500)))"), IsOk());
  }

  int64_t CountIn(Database& database) { return *database.QueryInteger("SELECT count(*) FROM t"); }

  TempFolder folder_;
  const std::string path_;
  const std::string copy_path_;
  std::unique_ptr<Database> source_;
};

TEST_F(DatabaseCopyTest, ACopyIsWholeForItsOwnerAloneAndHasNoLog) {
  const mode_t before = umask(0);
  auto copy = DatabaseCopy::Begin(*source_, copy_path_);
  umask(before);
  ASSERT_THAT(copy, IsOk());
  EXPECT_THAT((*copy)->Advance(1'000'000), IsOkAndHolds(true));
  copy->reset();
  struct stat found;
  ASSERT_EQ(stat(copy_path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600);
  for (const char* suffix : {"-wal", "-shm", "-journal"}) {
    EXPECT_FALSE(std::filesystem::exists(copy_path_ + suffix)) << suffix;
  }
  EXPECT_THAT(Database::CheckFile(copy_path_), IsOk());
  auto database = Database::Open({.path = copy_path_, .access = Database::Access::kReadOnly});
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT((*database)->QuickCheck(), IsOk());
  EXPECT_THAT((*database)->QueryInteger("PRAGMA application_id"), IsOkAndHolds(0x1234));
  EXPECT_EQ(CountIn(**database), 200);
}

TEST_F(DatabaseCopyTest, WhatIsWrittenMeanwhileIsCarriedOver) {
  auto copy = DatabaseCopy::Begin(*source_, copy_path_);
  ASSERT_THAT(copy, IsOk());
  int steps = 0;
  while (true) {
    const absl::StatusOr<bool> whole = (*copy)->Advance(20);
    ASSERT_THAT(whole, IsOk());
    if (*whole) break;
    ++steps;
    // One at the end, one in the middle; one that is undone, after which SQLite begins the copy
    // anew; and a checkpoint.
    Insert();
    ASSERT_THAT(source_->Run("UPDATE t SET s = 'changed' WHERE i = ?1", steps), IsOk());
    if (steps == 2) {
      auto undone = Transaction::BeginWrite(*source_);
      ASSERT_THAT(source_->Run("UPDATE t SET s = 'undone'"), IsOk());
    }
    if (steps % 3 == 0) {
      ASSERT_THAT(source_->Checkpoint(), IsOk());
    }
  }
  EXPECT_GE(steps, 10);
  copy->reset();
  auto database = Database::Open({.path = copy_path_, .access = Database::Access::kReadOnly});
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT((*database)->QuickCheck(), IsOk());
  EXPECT_EQ(CountIn(**database), CountIn(*source_));
  for (Database* each : {database->get(), source_.get()}) {
    EXPECT_THAT(each->QueryInteger("SELECT count(*) FROM t WHERE s = 'changed'"),
                IsOkAndHolds(steps));
    EXPECT_THAT(each->QueryInteger("SELECT count(*) FROM t WHERE s = 'undone'"), IsOkAndHolds(0));
  }
}

TEST_F(DatabaseCopyTest, AnAbandonedCopyIsRemovedAndTheSourceGoesOn) {
  {
    auto copy = DatabaseCopy::Begin(*source_, copy_path_);
    ASSERT_THAT(copy, IsOk());
    EXPECT_THAT((*copy)->Advance(10), IsOkAndHolds(false));
    EXPECT_TRUE(std::filesystem::exists(copy_path_));
  }
  EXPECT_FALSE(std::filesystem::exists(copy_path_));
  Insert();
  EXPECT_EQ(CountIn(*source_), 201);
}

TEST_F(DatabaseCopyTest, AFileThatIsThereIsNotReplaced) {
  std::ofstream(copy_path_) << "precious";
  EXPECT_THAT(DatabaseCopy::Begin(*source_, copy_path_),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr(copy_path_)));
  EXPECT_EQ(std::filesystem::file_size(copy_path_), 8);
}

TEST_F(DatabaseCopyTest, AFolderThatIsMissingIsUnavailable) {
  EXPECT_THAT(DatabaseCopy::Begin(*source_, folder_.File("none/copy.db")),
              StatusIs(absl::StatusCode::kUnavailable, _));
}

TEST_F(DatabaseCopyTest, ADiskThatFailsEndsTheCopyAndLeavesNothing) {
  FaultyDisk disk;
  source_ = *Database::Open({.path = path_});
  {
    auto copy = DatabaseCopy::Begin(*source_, copy_path_);
    ASSERT_THAT(copy, IsOk());
    disk.FillFor(1);
    EXPECT_THAT((*copy)->Advance(1'000'000),
                StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr(copy_path_)));
  }
  EXPECT_FALSE(std::filesystem::exists(copy_path_));
}

}  // namespace
}  // namespace autopxe::server
