#include "server/sqlite/write_ahead_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kHeader = 32;
constexpr size_t kFrame = 24 + 4096;
constexpr size_t kTransactions = 8;

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// A log of eight transactions of one frame each, the first of which makes the table.
class WriteAheadLogTest : public testing::Test {
 protected:
  WriteAheadLogTest() : path_(folder_.File("test.db")), log_(folder_.File("test.db-wal")) {
    EXPECT_THAT(Database::CreateFile(path_, 1), IsOk());
    database_ = *Database::Open({.path = path_});
    EXPECT_THAT(database_->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
    EXPECT_THAT(database_->CheckpointAndTruncate(), IsOk());
    for (size_t i = 0; i < kTransactions; ++i) {
      EXPECT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    }
    whole_ = ReadAll(log_);
    EXPECT_EQ(whole_.size(), kHeader + kTransactions * kFrame);
  }

  absl::Status Check(const std::string& content) {
    const std::string path = folder_.File("damaged-wal");
    std::ofstream(path, std::ios::binary) << content;
    return CheckWriteAheadLog(path);
  }

  std::string WithBitFlippedAt(size_t offset) const {
    std::string content = whole_;
    content[offset] = static_cast<char>(content[offset] ^ 0x10);
    return content;
  }

  TempFolder folder_;
  const std::string path_;
  const std::string log_;
  std::unique_ptr<Database> database_;
  std::string whole_;
};

TEST_F(WriteAheadLogTest, OneThatIsWholeMissingOrEmptyIsNoDamage) {
  EXPECT_THAT(CheckWriteAheadLog(log_), IsOk());
  EXPECT_THAT(CheckWriteAheadLog(folder_.File("none-wal")), IsOk());
  EXPECT_THAT(Check(""), IsOk());
}

// A power failure can leave each of these.
TEST_F(WriteAheadLogTest, AnEndThatIsTornOrMissingIsNoDamage) {
  for (size_t size = 0; size < whole_.size(); size += 511) {
    EXPECT_THAT(Check(whole_.substr(0, size)), IsOk()) << size;
  }
  for (size_t offset = whole_.size() - kFrame; offset < whole_.size(); offset += 97) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)), IsOk()) << offset;
  }
}

TEST_F(WriteAheadLogTest, WhatAnEarlierRoundOfTheLogLeftBehindItsEndIsNoDamage) {
  ASSERT_THAT(database_->Checkpoint(), IsOk());
  ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (2)"), IsOk());
  ASSERT_EQ(std::filesystem::file_size(log_), whole_.size());
  EXPECT_THAT(CheckWriteAheadLog(log_), IsOk());
}

// The last transaction has one frame alone: of one with many, any part may be missing.
TEST_F(WriteAheadLogTest, ATornTransactionOfManyFramesAtTheEndIsNoDamage) {
  {
    auto transaction = Transaction::BeginWrite(*database_);
    ASSERT_THAT(database_->Execute("INSERT INTO t SELECT value FROM (WITH RECURSIVE n(value) AS "
                                   "(SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 5000) "
                                   "SELECT value FROM n)"),
                IsOk());
    ASSERT_THAT(transaction->Commit(), IsOk());
  }
  const size_t begin = whole_.size();
  whole_ = ReadAll(log_);
  ASSERT_GT(whole_.size(), begin + 5 * kFrame);
  for (size_t offset = begin; offset < whole_.size(); offset += 1021) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)), IsOk()) << offset;
  }
}

TEST_F(WriteAheadLogTest, DamageBeforeTransactionsThatWereAcknowledgedIsFound) {
  for (size_t offset = 0; offset < whole_.size() - 4 * kFrame; offset += 89) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("damaged-wal"), HasSubstr("acknowledged"))))
        << offset;
  }
  // The header's every byte.
  for (size_t offset = 0; offset < kHeader; ++offset) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)), StatusIs(absl::StatusCode::kDataLoss)) << offset;
  }
}

}  // namespace
}  // namespace autopxe::server
