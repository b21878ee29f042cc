#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

// A copy of a database that is made piece by piece while its one writing connection goes on
// writing: between two pieces what that connection changes is carried over into the copy. To be
// used by that connection's thread.
class DatabaseCopy {
 public:
  // Begins one in a file at `path`, which is made with mode 0600. `source` is the connection that
  // writes, and outlives the copy. Errors besides those of Database: ALREADY_EXISTS if `path` is
  // there; RESOURCE_EXHAUSTED if it has no room, without having taken what there is.
  static absl::StatusOr<std::unique_ptr<DatabaseCopy>> Begin(Database& source, std::string path);

  DatabaseCopy(const DatabaseCopy&) = delete;
  DatabaseCopy& operator=(const DatabaseCopy&) = delete;
  // Removes the file unless it is whole.
  ~DatabaseCopy();

  // Copies up to `pages` more. True once the file holds the whole database as it is now, with no
  // log beside it; it is the caller's then, and not synced. After an error or true there is nothing
  // more to copy. REQUIRES: `source` is in no transaction.
  absl::StatusOr<bool> Advance(int pages);

 private:
  explicit DatabaseCopy(std::string path) : path_(std::move(path)) {}

  absl::Status Open(Database& source);
  absl::Status Finish();
  absl::Status Failed(int code) const;

  const std::string path_;
  sqlite3* connection_ = nullptr;
  sqlite3_backup* backup_ = nullptr;
  bool whole_ = false;
};

}  // namespace autopxe::server
