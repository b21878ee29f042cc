#include "server/sqlite/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/status_matchers.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::server {
namespace {

using ::testing::_;

class TransactionTest : public testing::Test {
 protected:
  TransactionTest() : path_(folder_.File("test.db")) {
    EXPECT_THAT(Database::CreateFile(path_, 1), IsOk());
    database_ = *Database::Open({.path = path_});
    EXPECT_THAT(database_->Execute("CREATE TABLE t (i INTEGER) STRICT"), IsOk());
  }

  int64_t Count() { return *database_->QueryInteger("SELECT count(*) FROM t"); }

  TempFolder folder_;
  std::string path_;
  std::unique_ptr<Database> database_;
};

TEST_F(TransactionTest, WhatIsNotCommittedIsRolledBack) {
  {
    absl::StatusOr<Transaction> transaction = Transaction::BeginWrite(*database_);
    ASSERT_THAT(transaction, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    EXPECT_EQ(Count(), 1);
  }
  EXPECT_FALSE(database_->in_transaction());
  EXPECT_EQ(Count(), 0);
}

TEST_F(TransactionTest, WhatIsCommittedStays) {
  {
    absl::StatusOr<Transaction> transaction = Transaction::BeginWrite(*database_);
    ASSERT_THAT(transaction, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    ASSERT_THAT(transaction->Commit(), IsOk());
  }
  EXPECT_FALSE(database_->in_transaction());
  database_ = *Database::Open({.path = path_});
  EXPECT_EQ(Count(), 1);
}

TEST_F(TransactionTest, OneSavepointIsUndoneAndItsNeighboursStay) {
  absl::StatusOr<Transaction> transaction = Transaction::BeginWrite(*database_);
  ASSERT_THAT(transaction, IsOk());
  for (const bool keep : {true, false, true}) {
    absl::StatusOr<Savepoint> savepoint = Savepoint::Begin(*database_);
    ASSERT_THAT(savepoint, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    if (keep) {
      ASSERT_THAT(savepoint->Keep(), IsOk());
    }
  }
  ASSERT_THAT(transaction->Commit(), IsOk());
  EXPECT_EQ(Count(), 2);
}

TEST_F(TransactionTest, ASavepointThatIsRolledBackLeavesTheTransactionOpen) {
  absl::StatusOr<Transaction> transaction = Transaction::BeginWrite(*database_);
  ASSERT_THAT(transaction, IsOk());
  {
    absl::StatusOr<Savepoint> savepoint = Savepoint::Begin(*database_);
    ASSERT_THAT(savepoint, IsOk());
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    EXPECT_THAT(savepoint->RollBack(), IsOk());
    EXPECT_EQ(Count(), 0);
  }
  ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (2)"), IsOk());
  ASSERT_THAT(transaction->Commit(), IsOk());
  EXPECT_EQ(Count(), 1);
}

TEST_F(TransactionTest, AReaderSeesOneStateUntilItsTransactionEnds) {
  std::unique_ptr<Database> reader =
      *Database::Open({.path = path_, .access = Database::Access::kReadOnly});
  {
    absl::StatusOr<Transaction> transaction = Transaction::BeginRead(*reader);
    ASSERT_THAT(transaction, IsOk());
    EXPECT_THAT(reader->QueryInteger("SELECT count(*) FROM t"), IsOkAndHolds(0));
    ASSERT_THAT(database_->Execute("INSERT INTO t VALUES (1)"), IsOk());
    EXPECT_THAT(reader->QueryInteger("SELECT count(*) FROM t"), IsOkAndHolds(0));
  }
  EXPECT_THAT(reader->QueryInteger("SELECT count(*) FROM t"), IsOkAndHolds(1));
}

// Case 35, the database locked by another process: here by another connection, which is the same to
// SQLite.
TEST_F(TransactionTest, ALockedDatabaseIsUnavailable) {
  std::unique_ptr<Database> other =
      *Database::Open({.path = path_, .busy_timeout = absl::ZeroDuration()});
  absl::StatusOr<Transaction> holder = Transaction::BeginWrite(*database_);
  ASSERT_THAT(holder, IsOk());
  EXPECT_THAT(Transaction::BeginWrite(*other), StatusIs(absl::StatusCode::kUnavailable, _));
  ASSERT_THAT(holder->Commit(), IsOk());
  EXPECT_THAT(Transaction::BeginWrite(*other), IsOk());
}

}  // namespace
}  // namespace autopxe::server
