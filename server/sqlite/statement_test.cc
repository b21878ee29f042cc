#include "server/sqlite/statement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "common/status/status_matchers.h"
#include "server/sqlite/database.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::server {
namespace {

using ::testing::_;
using ::testing::HasSubstr;

class StatementTest : public testing::Test {
 protected:
  StatementTest() {
    const std::string path = folder_.File("test.db");
    EXPECT_THAT(Database::CreateFile(path, 1), IsOk());
    database_ = *Database::Open({.path = path});
    EXPECT_THAT(database_->Execute("CREATE TABLE t (i INTEGER, s TEXT UNIQUE) STRICT"), IsOk());
  }

  TempFolder folder_;
  std::unique_ptr<Database> database_;
};

TEST_F(StatementTest, WhatWasBoundIsReadBack) {
  Statement insert = *database_->Prepare("INSERT INTO t VALUES (?1, ?2)");
  const std::string hostile("a\0b';--\n\xff", 8);
  EXPECT_THAT(insert.Run(std::numeric_limits<int64_t>::min(), hostile), IsOk());
  EXPECT_THAT(insert.Run(absl::nullopt, ""), IsOk());
  EXPECT_THAT(insert.Run(absl::optional<int64_t>(7), absl::optional<std::string>()), IsOk());

  Statement select = *database_->Prepare("SELECT i, s FROM t ORDER BY rowid");
  Rows rows = select.Query();
  ASSERT_THAT(rows.Next(), IsOkAndHolds(true));
  EXPECT_EQ(rows.Integer(0), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(rows.Text(1), absl::string_view(hostile));
  ASSERT_THAT(rows.Next(), IsOkAndHolds(true));
  EXPECT_TRUE(rows.IsNull(0));
  EXPECT_EQ(rows.OptionalInteger(0), absl::nullopt);
  EXPECT_EQ(rows.OptionalText(1), std::string());
  ASSERT_THAT(rows.Next(), IsOkAndHolds(true));
  EXPECT_EQ(rows.OptionalInteger(0), 7);
  EXPECT_EQ(rows.OptionalText(1), absl::nullopt);
  EXPECT_THAT(rows.Next(), IsOkAndHolds(false));
}

TEST_F(StatementTest, AStatementIsReadyAgainOnceItsRowsAreGone) {
  ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1, 'a'), (2, 'b')"), IsOk());
  Statement select = *database_->Prepare("SELECT s FROM t WHERE i >= ?1 ORDER BY i");
  for (int i = 0; i < 3; ++i) {
    Rows rows = select.Query(1);
    ASSERT_THAT(rows.Next(), IsOkAndHolds(true));  // Left in the middle on purpose.
    EXPECT_EQ(rows.Text(0), "a");
  }
  // A statement left open would hold a transaction open.
  EXPECT_FALSE(database_->in_transaction());
  EXPECT_THAT(database_->CheckpointAndTruncate(), IsOkAndHolds(true));
}

TEST_F(StatementTest, AStatementWorksAgainAfterAnError) {
  Statement insert = *database_->Prepare("INSERT INTO t VALUES (?1, ?2)");
  EXPECT_THAT(insert.Run(1, "a"), IsOk());
  EXPECT_THAT(insert.Run(2, "a"),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("UNIQUE constraint failed")));
  EXPECT_THAT(insert.Run("no number", "b"), StatusIs(absl::StatusCode::kAlreadyExists, _));
  EXPECT_THAT(insert.Run(2, "b"), IsOk());
}

TEST_F(StatementTest, ArgumentsThatAreTooFewOrTooManyAreRefused) {
  Statement insert = *database_->Prepare("INSERT INTO t VALUES (?1, ?2)");
  EXPECT_THAT(insert.Run(1), StatusIs(absl::StatusCode::kInternal, HasSubstr("INSERT INTO t")));
  EXPECT_THAT(insert.Run(1, "a", 2), StatusIs(absl::StatusCode::kInternal, _));
  EXPECT_THAT(database_->QueryInteger("SELECT count(*) FROM t"), IsOkAndHolds(0));
}

}  // namespace
}  // namespace autopxe::server
