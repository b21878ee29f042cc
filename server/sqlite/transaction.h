#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

// A transaction that ends with its scope: rolled back unless it was committed.
class Transaction {
 public:
  // Begins one that writes: takes the database's write lock at once, so that what follows can't
  // fail for want of it.
  static absl::StatusOr<Transaction> BeginWrite(Database& database);

  // Begins one that reads, all of it from one state of the database. Keep it short: while it is
  // open the write-ahead log can't be emptied.
  static absl::StatusOr<Transaction> BeginRead(Database& database);

  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  // Makes it durable. After an error it is unknown whether it is: only a database opened anew
  // tells.
  absl::Status Commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}

  static absl::StatusOr<Transaction> Begin(Database& database, const char* sql);

  Database* database_;  // Null once it has ended.
};

// A part of a transaction that is undone with its scope unless it was kept.
class Savepoint {
 public:
  // REQUIRES: a transaction is open.
  static absl::StatusOr<Savepoint> Begin(Database& database);

  Savepoint(Savepoint&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Savepoint& operator=(Savepoint&&) = delete;
  ~Savepoint();

  // Makes it a part of the transaction.
  absl::Status Keep();

  // Undoes it now, to learn whether that works.
  absl::Status RollBack();

 private:
  explicit Savepoint(Database& database) : database_(&database) {}

  Database* database_;  // Null once it has ended.
};

}  // namespace autopxe::server
