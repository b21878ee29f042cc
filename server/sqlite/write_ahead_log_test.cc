#include "server/sqlite/write_ahead_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kHeader = 32;
constexpr size_t kFrameHeader = 24;
constexpr size_t kFrame = kFrameHeader + 4096;
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
    EXPECT_THAT(database_->CheckpointAndTruncate(), IsOkAndHolds(true));
    for (size_t i = 0; i < kTransactions; ++i) {
      EXPECT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    }
    whole_ = ReadAll(log_);
    EXPECT_EQ(whole_.size(), kHeader + kTransactions * kFrame);
  }

  // One transaction of many frames, the last one of whole_.
  void InsertMany() {
    auto transaction = Transaction::BeginWrite(*database_);
    EXPECT_THAT(database_->Execute("INSERT INTO t SELECT value FROM (WITH RECURSIVE n(value) AS "
                                   "(SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 5000) "
                                   "SELECT value FROM n)"),
                IsOk());
    EXPECT_THAT(transaction->Commit(), IsOk());
    whole_ = ReadAll(log_);
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
  const size_t begin = whole_.size();
  InsertMany();
  ASSERT_GT(whole_.size(), begin + 5 * kFrame);
  for (size_t offset = begin; offset < whole_.size(); offset += 1021) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)), IsOk()) << offset;
  }
}

TEST_F(WriteAheadLogTest, DamageBeforeTransactionsThatWereAcknowledgedIsFound) {
  for (size_t offset = 0; offset < whole_.size() - kFrame; offset += 89) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)),
                StatusIs(absl::StatusCode::kDataLoss,
                         AllOf(HasSubstr("damaged-wal"), HasSubstr("acknowledged"))))
        << offset;
  }
}

// SQLite would drop the transaction that it ends and the last one.
TEST_F(WriteAheadLogTest, DamageOfAnyByteOfTheFrameBeforeTheLastTransactionIsFound) {
  const size_t begin = whole_.size() - 2 * kFrame;
  const auto expect_damage = [&](size_t offset, char value) {
    std::string content = whole_;
    if (content[offset] == value) return;
    content[offset] = value;
    EXPECT_THAT(Check(content), StatusIs(absl::StatusCode::kDataLoss,
                                         AllOf(HasSubstr("frame 7"), HasSubstr("acknowledged"))))
        << "byte " << offset - begin << " of the frame is " << int{value};
  };
  // Of its header every bit and every byte: the page's number, the database's size, which says that
  // it ends a transaction, the salts and the checksum.
  for (size_t offset = begin; offset < begin + kFrameHeader; ++offset) {
    for (int bit = 0; bit < 8; ++bit) {
      expect_damage(offset, static_cast<char>(whole_[offset] ^ (1 << bit)));
    }
    expect_damage(offset, '\0');
    expect_damage(offset, '\xff');
  }
  for (size_t offset = begin + kFrameHeader; offset < begin + kFrame; offset += 31) {
    expect_damage(offset, static_cast<char>(whole_[offset] ^ 0x10));
  }
  // Most of the page.
  std::string content = whole_;
  content.replace(begin + 512, 3584, std::string(3584, '\0'));
  EXPECT_THAT(Check(content), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(WriteAheadLogTest, DamageBeforeALastTransactionOfManyFramesIsFound) {
  const size_t begin = whole_.size() - kFrame;
  InsertMany();
  for (size_t offset = begin; offset < begin + kFrame; offset += 13) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)), StatusIs(absl::StatusCode::kDataLoss)) << offset;
  }
}

// The header is synced before the first frame is written.
TEST_F(WriteAheadLogTest, ADamagedHeaderIsFoundBeforeTheOnlyTransaction) {
  whole_.resize(kHeader + kFrame);
  for (size_t offset = 0; offset < kHeader; ++offset) {
    EXPECT_THAT(Check(WithBitFlippedAt(offset)),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("its header")))
        << offset;
  }
}

// Over transactions that an earlier round of the log left, and where the end of a sector splits the
// header of the first frame, which it does at frames 42 and 63 of 64: then it may seem to end one.
TEST_F(WriteAheadLogTest, ATransactionOfWhichAnySectorsAreMissingAtTheEndIsNoDamage) {
  constexpr size_t kSector = 512;
  for (int i = 0; i < 80; ++i) ASSERT_THAT(database_->Execute("UPDATE t SET i = i + 1"), IsOk());
  std::mt19937 random(1);
  for (const size_t frames : {64, 63, 62, 61, 43, 42, 41, 40, 20}) {
    ASSERT_THAT(database_->Checkpoint(), IsOk());
    for (size_t i = 0; i < frames; ++i) {
      ASSERT_THAT(database_->Execute("UPDATE t SET i = i + 1"), IsOk());
    }
    const std::string before = ReadAll(log_);
    const size_t begin = kHeader + frames * kFrame;
    InsertMany();
    ASSERT_GT(whole_.size(), begin + 5 * kFrame);
    for (int round = 0; round < 100; ++round) {
      std::string torn = whole_;
      // Some rounds lose few, some many, and some only those around the first header.
      const unsigned kept = 2 + random() % 8;
      const size_t end = round % 3 == 0 ? begin + kFrame : torn.size();
      for (size_t at = begin / kSector * kSector; at < end; at += kSector) {
        if (random() % kept != 0) continue;
        const size_t size = std::min(kSector, torn.size() - at);
        std::string old = at < before.size() ? before.substr(at, size) : "";
        old.resize(size);
        torn.replace(at, size, old);
      }
      ASSERT_THAT(Check(torn), IsOk()) << frames << " frames, round " << round;
    }
    ASSERT_THAT(database_->Execute("DELETE FROM t WHERE rowid > 10"), IsOk());
  }
}

// What is behind the log's end then holds by itself: a start goes on at the end.
TEST_F(WriteAheadLogTest, WhatIsLeftOfATransactionUnderTheNextOnesIsNoDamage) {
  const size_t begin = whole_.size();
  InsertMany();
  const std::string many = whole_;
  const std::string database = ReadAll(path_);
  // One of its frames was lost, and the start after it wrote one transaction of one frame and one
  // of two, of which the power failing again left the last one torn.
  for (size_t lost = 0; lost < 3; ++lost) {
    std::string torn = many;
    torn.replace(begin + lost * kFrame, kFrame, std::string(kFrame, '\0'));
    const std::string path = folder_.File(absl::StrCat("again", lost, ".db"));
    std::ofstream(path, std::ios::binary) << database;
    std::ofstream(path + "-wal", std::ios::binary) << torn;
    auto again = Database::Open({.path = path});
    ASSERT_THAT(again, IsOk());
    for (int i = 0; i < 2; ++i) {
      ASSERT_THAT((*again)->Execute(i == 0 ? "INSERT INTO t VALUES (9)" : "CREATE TABLE u (i INT)"),
                  IsOk());
      whole_ = ReadAll(path + "-wal");
      ASSERT_EQ(whole_.size(), many.size());
      EXPECT_THAT(Check(whole_), IsOk());
      const size_t last = begin + static_cast<size_t>(i) * kFrame;
      for (size_t offset = last; offset < last + kFrame; offset += 97) {
        EXPECT_THAT(Check(WithBitFlippedAt(offset)), IsOk()) << offset;
      }
    }
  }
}

}  // namespace
}  // namespace autopxe::server
