#include "server/sqlite/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "common/status/status_matchers.h"
#include "server/sqlite/faulty_disk.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"

namespace autopxe::server {
namespace {

using ::testing::_;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

int ModeOf(const std::string& path) {
  struct stat found;
  return stat(path.c_str(), &found) == 0 ? found.st_mode & 07777 : -1;
}

class DatabaseTest : public testing::Test {
 protected:
  DatabaseTest() : path_(folder_.File("test.db")) {}

  std::unique_ptr<Database> Create() {
    EXPECT_THAT(Database::CreateFile(path_, 0x1234), IsOk());
    auto database = Database::Open({.path = path_});
    EXPECT_THAT(database, IsOk());
    return *std::move(database);
  }

  TempFolder folder_;
  const std::string path_;
};

TEST_F(DatabaseTest, ANewFileIsAWholeDatabaseWithItsApplicationId) {
  ASSERT_THAT(Database::CreateFile(path_, 0x1234), IsOk());
  EXPECT_GT(std::filesystem::file_size(path_), 0);
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
  auto database = Database::Open({.path = path_});
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT((*database)->QueryInteger("PRAGMA application_id"), IsOkAndHolds(0x1234));
  EXPECT_THAT((*database)->QuickCheck(), IsOk());
}

TEST_F(DatabaseTest, AFileThatIsThereIsNeverReplaced) {
  std::ofstream(path_) << "precious";
  EXPECT_THAT(Database::CreateFile(path_, 1), StatusIs(absl::StatusCode::kAlreadyExists, _));
  EXPECT_EQ(std::filesystem::file_size(path_), 8);
}

TEST_F(DatabaseTest, WhatAnInterruptedCreationLeftIsOverwritten) {
  std::ofstream(path_ + ".new") << "torn";
  std::ofstream(path_ + ".new-wal") << "torn";
  EXPECT_THAT(Database::CreateFile(path_, 1), IsOk());
  EXPECT_THAT(Database::Open({.path = path_}), IsOk());
}

TEST_F(DatabaseTest, AMissingFileIsNotMade) {
  for (const auto access : {Database::Access::kReadWrite, Database::Access::kReadOnly}) {
    EXPECT_THAT(Database::Open({.path = path_, .access = access}),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  }
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsDataLoss) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_THAT(Database::Open({.path = path_}),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a database")));
}

TEST_F(DatabaseTest, AFileOfTheWrongFormOrLengthIsFoundOut) {
  Create();
  EXPECT_THAT(Database::CheckFile(path_), IsOk());
  const auto whole = std::filesystem::file_size(path_);
  for (const uintmax_t size :
       {whole - 1, uintmax_t{512}, uintmax_t{100}, uintmax_t{17}, uintmax_t{1}, uintmax_t{0}}) {
    std::filesystem::resize_file(path_, size);
    EXPECT_THAT(Database::CheckFile(path_), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(path_)))
        << size;
  }
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_THAT(Database::CheckFile(path_), StatusIs(absl::StatusCode::kDataLoss, _));
  std::filesystem::remove(path_);
  EXPECT_THAT(Database::CheckFile(path_), StatusIs(absl::StatusCode::kUnavailable, _));
}

TEST_F(DatabaseTest, AFolderThatIsMissingIsUnavailable) {
  EXPECT_THAT(Database::CreateFile(folder_.File("none/test.db"), 1),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("No such file")));
}

TEST_F(DatabaseTest, EveryWriteIsDurableAndForeignKeysHold) {
  std::unique_ptr<Database> database = Create();
  EXPECT_THAT(database->QueryInteger("PRAGMA synchronous"), IsOkAndHolds(2));
  EXPECT_THAT(database->QueryInteger("PRAGMA wal_autocheckpoint"), IsOkAndHolds(0));
  ASSERT_THAT(database->Execute("CREATE TABLE parent (i INTEGER PRIMARY KEY) STRICT;"
                                "CREATE TABLE child (i INTEGER REFERENCES parent) STRICT"),
              IsOk());
  EXPECT_THAT(database->Execute("INSERT INTO child VALUES (1)"),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("FOREIGN KEY")));
}

// Case 48.
TEST_F(DatabaseTest, ItsFilesAreTheOwnersAlone) {
  const mode_t before = umask(0);
  std::unique_ptr<Database> database = Create();
  umask(before);
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(ModeOf(path_ + suffix), 0600) << suffix;
}

// Case 48: an older file, or a copy put back from a backup.
TEST_F(DatabaseTest, AFileThatOthersCanReadIsClosedToThem) {
  Create();
  ASSERT_EQ(chmod(path_.c_str(), 0644), 0);
  std::unique_ptr<Database> database = *Database::Open({.path = path_});
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(ModeOf(path_ + suffix), 0600) << suffix;
}

TEST_F(DatabaseTest, AReadOnlyConnectionReadsAndCannotWriteOrCheckpoint) {
  std::unique_ptr<Database> writer = Create();
  ASSERT_THAT(writer->Execute("CREATE TABLE t (i INTEGER) STRICT; INSERT INTO t VALUES (7)"),
              IsOk());
  std::unique_ptr<Database> reader =
      *Database::Open({.path = path_, .access = Database::Access::kReadOnly});
  EXPECT_THAT(reader->QueryInteger("SELECT i FROM t"), IsOkAndHolds(7));
  EXPECT_THAT(reader->Execute("INSERT INTO t VALUES (8)"),
              StatusIs(absl::StatusCode::kUnavailable, _));
  EXPECT_THAT(reader->QueryInteger("PRAGMA wal_autocheckpoint"), IsOkAndHolds(0));
  EXPECT_FALSE(reader->CheckpointAndTruncate().ok());
}

TEST_F(DatabaseTest, TheLogGrowsUntilItIsCheckpointed) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(database->Execute("CREATE TABLE t (s TEXT) STRICT"), IsOk());
  for (int i = 0; i < 50; ++i) {  // 25 pages each.
    ASSERT_THAT(database->Execute("INSERT INTO t VALUES (hex(zeroblob(50000)))"), IsOk());
  }
  // SQLite by itself would have checkpointed at 1,000 pages.
  EXPECT_GT(database->wal_pages(), 1200);
  EXPECT_THAT(database->Checkpoint(), IsOk());
  EXPECT_EQ(database->wal_pages(), 0);
  EXPECT_THAT(database->CheckpointAndTruncate(), IsOkAndHolds(true));
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0);
}

TEST_F(DatabaseTest, AReaderInTheWayOfATruncationIsToldAndHarmless) {
  std::unique_ptr<Database> database = Create();
  std::unique_ptr<Database> reader =
      *Database::Open({.path = path_, .access = Database::Access::kReadOnly});
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  {
    absl::StatusOr<Transaction> transaction = Transaction::BeginRead(*reader);
    ASSERT_THAT(transaction, IsOk());
    ASSERT_THAT(reader->QueryInteger("SELECT count(*) FROM t"), IsOkAndHolds(0));
    ASSERT_THAT(database->Execute("INSERT INTO t VALUES (1)"), IsOk());
    EXPECT_THAT(database->CheckpointAndTruncate(), IsOkAndHolds(false));
    EXPECT_THAT(database->Checkpoint(), IsOk());
  }
  EXPECT_THAT(database->CheckpointAndTruncate(), IsOkAndHolds(true));
}

TEST_F(DatabaseTest, AnotherProcessesLockInTheWayOfATruncationIsTold) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  {
    std::unique_ptr<Database> other = *Database::Open({.path = path_});
    absl::StatusOr<Transaction> transaction = Transaction::BeginWrite(*other);
    ASSERT_THAT(transaction, IsOk());
    EXPECT_THAT(database->CheckpointAndTruncate(), IsOkAndHolds(false));
    EXPECT_THAT(database->Checkpoint(), IsOk());
  }
  EXPECT_THAT(database->CheckpointAndTruncate(), IsOkAndHolds(true));
}

// Case 35, by a limit of pages instead of the disk's end.
TEST_F(DatabaseTest, AFullDiskIsResourceExhaustedAndReadsGoOn) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(database->Execute("CREATE TABLE t (s TEXT) STRICT; PRAGMA max_page_count = 3"),
              IsOk());
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (hex(zeroblob(100000)))"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  EXPECT_FALSE(database->in_transaction());
  EXPECT_THAT(database->QueryInteger("SELECT count(*) FROM t"), IsOkAndHolds(0));
}

// Case 35: as after an error that makes Linux turn a file system over to reading.
TEST_F(DatabaseTest, AFileSystemThatHasBecomeReadOnlyIsToldApart) {
  FaultyDisk disk;
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  disk.RefuseWrites(1);
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("has become read-only: see dmesg for the reason")));
  disk.FailWrites(1);
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kUnavailable, Not(HasSubstr("read-only"))));
}

// Case 35.
TEST_F(DatabaseTest, AnErrorOfTheDiskIsUnavailable) {
  FaultyDisk disk;
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(database->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  disk.FailSyncs(1);
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk I/O error")));
  disk.FailWrites(1);
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("disk I/O error")));
  disk.FillFor(1);
  EXPECT_THAT(database->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  EXPECT_FALSE(database->in_transaction());
}

TEST_F(DatabaseTest, AStatementThatRanOnceRunsAgainWithOtherArguments) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(database->Run("CREATE TABLE t (i INTEGER UNIQUE) STRICT"), IsOk());
  for (const int i : {1, 2, 3}) {
    ASSERT_THAT(database->Run("INSERT INTO t VALUES (?1)", i), IsOk());
  }
  EXPECT_THAT(database->Run("INSERT INTO t VALUES (?1)", 3),
              StatusIs(absl::StatusCode::kAlreadyExists, _));
  for (const int i : {3, 1}) {
    absl::StatusOr<Rows> rows = database->Query("SELECT i FROM t WHERE i >= ?1 ORDER BY i", i);
    ASSERT_THAT(rows, IsOk());
    ASSERT_THAT(rows->Next(), IsOkAndHolds(true));
    EXPECT_EQ(rows->Integer(0), i);
  }
  EXPECT_THAT(database->Run("INSERT INTO none VALUES (1)"),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("no such table")));
}

TEST_F(DatabaseTest, QuickCheckFindsADamagedPage) {
  {
    std::unique_ptr<Database> database = Create();
    ASSERT_THAT(database->Execute("CREATE TABLE t (s TEXT) STRICT;"
                                  "INSERT INTO t SELECT hex(randomblob(500)) FROM "
                                  "(VALUES (1), (2), (3), (4), (5), (6), (7), (8))"),
                IsOk());
  }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(512, '\xa5');
  file.close();
  absl::StatusOr<std::unique_ptr<Database>> database = Database::Open({.path = path_});
  ASSERT_THAT(database, IsOk());
  EXPECT_THAT((*database)->QuickCheck(),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr(path_), Not(HasSubstr("\n")))));
}

TEST_F(DatabaseTest, AMistakeInSqlNamesTheStatement) {
  std::unique_ptr<Database> database = Create();
  EXPECT_THAT(database->Execute("SELEC 1"),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("SELEC 1")));
  EXPECT_THAT(database->Prepare("SELECT \"no column\""),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("no such column")));
}

}  // namespace
}  // namespace autopxe::server
