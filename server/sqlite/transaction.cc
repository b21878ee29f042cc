#include "server/sqlite/transaction.h"

namespace autopxe::server {

absl::StatusOr<Transaction> Transaction::Begin(Database& database, const char* sql) {
  if (absl::Status status = database.Execute(sql); !status.ok()) return status;
  return Transaction(database);
}

absl::StatusOr<Transaction> Transaction::BeginWrite(Database& database) {
  return Begin(database, "BEGIN IMMEDIATE");
}

absl::StatusOr<Transaction> Transaction::BeginRead(Database& database) {
  return Begin(database, "BEGIN");
}

Transaction::~Transaction() {
  // SQLite has itself rolled back after some errors (a full disk, say).
  if (database_ == nullptr || !database_->in_transaction()) return;
  // A roll-back drops what was never committed: should it fail, closing the connection does the
  // same.
  database_->Execute("ROLLBACK").IgnoreError();
}

absl::Status Transaction::Commit() {
  if (absl::Status status = database_->Execute("COMMIT"); !status.ok()) return status;
  database_ = nullptr;
  return absl::OkStatus();
}

absl::StatusOr<Savepoint> Savepoint::Begin(Database& database) {
  if (absl::Status status = database.Execute("SAVEPOINT part"); !status.ok()) return status;
  return Savepoint(database);
}

Savepoint::~Savepoint() { RollBack().IgnoreError(); }

absl::Status Savepoint::Keep() {
  if (absl::Status status = database_->Execute("RELEASE part"); !status.ok()) return status;
  database_ = nullptr;
  return absl::OkStatus();
}

absl::Status Savepoint::RollBack() {
  // After some errors SQLite has itself rolled back all of the transaction.
  if (database_ == nullptr || !database_->in_transaction()) return absl::OkStatus();
  return std::exchange(database_, nullptr)->Execute("ROLLBACK TO part; RELEASE part");
}

}  // namespace autopxe::server
