#include "server/sqlite/status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace autopxe::server {
namespace {

TEST(SqliteStatusTest, EveryKindOfErrorHasOneCode) {
  const struct {
    int code;
    absl::StatusCode expected;
  } cases[] = {
      {SQLITE_OK, absl::StatusCode::kOk},
      {SQLITE_ROW, absl::StatusCode::kOk},
      {SQLITE_DONE, absl::StatusCode::kOk},
      {SQLITE_FULL, absl::StatusCode::kResourceExhausted},
      {SQLITE_NOMEM, absl::StatusCode::kResourceExhausted},
      {SQLITE_IOERR, absl::StatusCode::kUnavailable},
      {SQLITE_IOERR_FSYNC, absl::StatusCode::kUnavailable},
      {SQLITE_IOERR_WRITE, absl::StatusCode::kUnavailable},
      {SQLITE_BUSY, absl::StatusCode::kUnavailable},
      {SQLITE_BUSY_SNAPSHOT, absl::StatusCode::kUnavailable},
      {SQLITE_LOCKED, absl::StatusCode::kUnavailable},
      {SQLITE_READONLY, absl::StatusCode::kUnavailable},
      {SQLITE_READONLY_DBMOVED, absl::StatusCode::kUnavailable},
      {SQLITE_CANTOPEN, absl::StatusCode::kUnavailable},
      {SQLITE_CORRUPT, absl::StatusCode::kDataLoss},
      {SQLITE_CORRUPT_INDEX, absl::StatusCode::kDataLoss},
      {SQLITE_NOTADB, absl::StatusCode::kDataLoss},
      {SQLITE_CONSTRAINT, absl::StatusCode::kAlreadyExists},
      {SQLITE_CONSTRAINT_UNIQUE, absl::StatusCode::kAlreadyExists},
      {SQLITE_ERROR, absl::StatusCode::kInternal},
      {SQLITE_MISUSE, absl::StatusCode::kInternal},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(SqliteStatus(nullptr, c.code, "x").code(), c.expected) << c.code;
  }
}

TEST(SqliteStatusTest, TheMessageHasSqlitesTextAndCode) {
  EXPECT_EQ(SqliteStatus(nullptr, SQLITE_FULL, "writing").message(),
            "writing: database or disk is full (SQLite 13)");
}

// Of a damaged schema SQLite shows what it could not read.
TEST(SqliteStatusTest, TheMessageIsOneShortLineWhateverSqliteShows) {
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open(":memory:", &connection), SQLITE_OK);
  const std::string sql = "SELECT `a\n\x1b[31m" + std::string(1000, 'b');
  const int code = sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr);
  const std::string message(SqliteStatus(connection, code, "reading").message());
  sqlite3_close(connection);
  EXPECT_THAT(message, testing::HasSubstr("unrecognized token: \"`a??[31mbbb"));
  EXPECT_THAT(message, testing::EndsWith("... (SQLite 1)"));
  EXPECT_LT(message.size(), 300u);
}

TEST(SqliteStatusTest, WhatTurnedReadOnlyIsSaidToNeedRepair) {
  const auto message = [](int code) {
    return std::string(SqliteStatus(nullptr, code, "writing").message());
  };
  EXPECT_THAT(message(SQLITE_READONLY), testing::HasSubstr("see dmesg"));
  EXPECT_THAT(message(SQLITE_READONLY_DBMOVED), testing::Not(testing::HasSubstr("see dmesg")));
}

}  // namespace
}  // namespace autopxe::server
