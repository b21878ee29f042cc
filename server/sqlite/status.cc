#include "server/sqlite/status.h"

#include <cerrno>
#include <cstddef>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace autopxe::server {
namespace {

absl::StatusCode CodeOf(int code) {
  switch (code & 0xff) {  // An extended code's lowest byte is its primary code.
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
      return absl::StatusCode::kOk;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return absl::StatusCode::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_PROTOCOL:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::StatusCode::kDataLoss;
    case SQLITE_CONSTRAINT:
      return absl::StatusCode::kAlreadyExists;
    default:
      return absl::StatusCode::kInternal;
  }
}

// For SQLite it is one error of input and output of many.
constexpr char kReadOnly[] =
    "; the file system has become read-only: see dmesg for the reason, repair it and mount it for "
    "writing";

bool IsReadOnly(sqlite3* connection, int code) {
  const int kind = code & 0xff;
  // Database::Open has opened it for writing, and it is the same file still.
  if (kind == SQLITE_READONLY) return code != SQLITE_READONLY_DBMOVED;
  if (kind != SQLITE_IOERR && kind != SQLITE_CANTOPEN) return false;
  // SQLite keeps the number of some errors only; of the others the last one still stands.
  return errno == EROFS || (connection != nullptr && sqlite3_system_errno(connection) == EROFS);
}

// SQLite shows what it could not read, and of a damaged schema that can be many lines of anything.
std::string OneLine(absl::string_view text) {
  constexpr size_t kMaxText = 200;
  std::string line(text.substr(0, kMaxText));
  for (char& c : line) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(c))) c = '?';
  }
  if (text.size() > kMaxText) line += "...";
  return line;
}

}  // namespace

absl::Status SqliteStatus(sqlite3* connection, int code, absl::string_view what) {
  const bool is_read_only = IsReadOnly(connection, code);  // Before anything else sets errno.
  const absl::StatusCode status_code = CodeOf(code);
  if (status_code == absl::StatusCode::kOk) return absl::OkStatus();
  const char* text = connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection);
  return absl::Status(status_code, absl::StrCat(what, ": ", OneLine(text), " (SQLite ", code, ")",
                                                is_read_only ? kReadOnly : ""));
}

}  // namespace autopxe::server
