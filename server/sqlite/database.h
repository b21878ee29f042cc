#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "server/sqlite/statement.h"

namespace autopxe::server {

// One connection to a SQLite database in write-ahead-log mode with synchronous=FULL and foreign
// keys on. To be used by one thread at a time.
//
// SQLite before 3.51.3 can corrupt a write-ahead log when two connections write or checkpoint at
// once. So a database has ONE connection with Access::kReadWrite, which does every write and every
// checkpoint (Checkpoint(): none happens by itself while connections are open), and is the last one
// to be closed.
//
// Statuses carry SQLite's own text:
//   RESOURCE_EXHAUSTED: the disk is full, or memory.
//   UNAVAILABLE: an error of the disk; the database is locked by another process, read-only, or
//   can't be opened. DATA_LOSS: the file is damaged, or is no database. ALREADY_EXISTS: a
//   constraint does not hold. INTERNAL: anything else: an error in the caller's SQL.
class Database {
 public:
  enum class Access { kReadWrite, kReadOnly };

  struct Config {
    std::string path;
    Access access = Access::kReadWrite;
    // How long to wait for another process's lock. Short: everything else waits meanwhile.
    absl::Duration busy_timeout = absl::Milliseconds(250);
  };

  // Makes a database without tables at `path`, with mode 0600 and `application_id` in its header.
  // It appears complete or not at all, so an empty file at `path` is always a damaged one. Errors
  // besides the usual: ALREADY_EXISTS if `path` is there.
  static absl::Status CreateFile(const std::string& path, int32_t application_id);

  // Whether the file at `path` begins as a database does and ends with a whole page, which SQLite
  // itself does not look at: it takes a file of a few bytes for an empty database. DATA_LOSS if
  // not. REQUIRES: no connection of this process has it open; looking would drop its locks.
  static absl::Status CheckFile(const std::string& path);

  // Opens a database that exists. With kReadWrite its files are given mode 0600. Errors besides the
  // usual: NOT_FOUND if `path` is not there.
  static absl::StatusOr<std::unique_ptr<Database>> Open(const Config& config);

  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  // REQUIRES: no statement that Prepare gave is left.
  ~Database();

  // Prepares one statement, to be run any number of times.
  absl::StatusOr<Statement> Prepare(absl::string_view sql);

  // Runs one statement to its end, as Statement::Run; it stays prepared for the next time.
  template <typename... Args>
  absl::Status Run(absl::string_view sql, const Args&... args);

  // Runs one statement and gives its rows, as Statement::Query; it stays prepared for the next
  // time. Two sets of rows of one text can't be open at once.
  template <typename... Args>
  absl::StatusOr<Rows> Query(absl::string_view sql, const Args&... args);

  // Runs any number of statements; rows are dropped.
  absl::Status Execute(absl::string_view sql);

  // Runs a statement that gives one row, and returns its first column.
  // Errors besides the usual: NOT_FOUND if there is no row.
  absl::StatusOr<int64_t> QueryInteger(absl::string_view sql);

  bool in_transaction() const;

  // Pages in the write-ahead log after this connection's last commit.
  int wal_pages() const { return wal_pages_; }

  // Moves the write-ahead log's pages into the database, as far as readers let it.
  absl::Status Checkpoint();

  // Moves all of them, and empties the log. False if somebody who reads an older state of the
  // database, or whose lock it is, is in the way for longer than the busy timeout; then nothing or
  // some was moved.
  absl::StatusOr<bool> CheckpointAndTruncate();

  // Whether the database is whole, page by page and table by table (not the indexes' content).
  // Reads all of it. DATA_LOSS with SQLite's first finding if not.
  absl::Status QuickCheck();

 private:
  friend class DatabaseCopy;

  Database(std::string path, sqlite3* connection)
      : path_(std::move(path)), connection_(connection) {}

  static int AfterCommit(void* self, sqlite3*, const char*, int pages);

  // False: busy.
  absl::StatusOr<bool> RunCheckpoint(int mode);
  absl::StatusOr<Statement*> Prepared(absl::string_view sql);

  const std::string path_;
  sqlite3* const connection_;
  int wal_pages_ = 0;
  absl::flat_hash_map<std::string, std::unique_ptr<Statement>> prepared_;
};

template <typename... Args>
absl::Status Database::Run(absl::string_view sql, const Args&... args) {
  const absl::StatusOr<Statement*> statement = Prepared(sql);
  if (!statement.ok()) return statement.status();
  return (*statement)->Run(args...);
}

template <typename... Args>
absl::StatusOr<Rows> Database::Query(absl::string_view sql, const Args&... args) {
  const absl::StatusOr<Statement*> statement = Prepared(sql);
  if (!statement.ok()) return statement.status();
  return (*statement)->Query(args...);
}

}  // namespace autopxe::server
