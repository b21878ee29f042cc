#include "server/sqlite/database_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/sqlite/status.h"

namespace autopxe::server {
namespace {

// What a copy leaves on the disk for the database itself, in bytes.
constexpr int64_t kReserve = 16 << 20;

absl::Status SystemStatus(const std::string& path, absl::string_view what) {
  const std::string message = absl::StrCat("copy \"", path, "\": ", what, ": ", strerror(errno));
  return errno == ENOSPC || errno == EDQUOT ? absl::ResourceExhaustedError(message)
                                            : absl::UnavailableError(message);
}

absl::Status CheckRoom(const std::string& path, int64_t size) {
  struct statvfs found;
  if (statvfs(path.c_str(), &found) != 0) return SystemStatus(path, "can't look at its disk");
  const int64_t room = static_cast<int64_t>(found.f_bavail) * static_cast<int64_t>(found.f_frsize);
  if (room >= size + kReserve) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("copy \"", path, "\": it takes ", size, " bytes, and the disk has ", room,
                   ", of which ", kReserve, " are left to the database; make room there"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DatabaseCopy>> DatabaseCopy::Begin(Database& source,
                                                                  std::string path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) {
    return absl::AlreadyExistsError(absl::StrCat("copy \"", path, "\": it is there already"));
  }
  if (fd < 0) return SystemStatus(path, "can't make it");
  const int mode_result = fchmod(fd, 0600);  // Whatever the umask.
  close(fd);
  // From here on it is removed if anything fails.
  std::unique_ptr<DatabaseCopy> copy(new DatabaseCopy(std::move(path)));
  if (mode_result != 0) return SystemStatus(copy->path_, "can't set its mode to 0600");
  if (absl::Status status = copy->Open(source); !status.ok()) return status;
  return copy;
}

absl::Status DatabaseCopy::Open(Database& source) {
  const absl::StatusOr<int64_t> pages = source.QueryInteger("PRAGMA page_count");
  if (!pages.ok()) return pages.status();
  const absl::StatusOr<int64_t> page_size = source.QueryInteger("PRAGMA page_size");
  if (!page_size.ok()) return page_size.status();
  if (absl::Status status = CheckRoom(path_, *pages * *page_size); !status.ok()) return status;
  int code = sqlite3_open_v2(path_.c_str(), &connection_,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return Failed(code);
  sqlite3_extended_result_codes(connection_, 1);
  // Whoever reads the file checks it; after a power failure there is nobody left to read it.
  code = sqlite3_exec(connection_, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", nullptr,
                      nullptr, nullptr);
  if (code != SQLITE_OK) return Failed(code);
  backup_ = sqlite3_backup_init(connection_, "main", source.connection_, "main");
  return backup_ == nullptr ? Failed(sqlite3_errcode(connection_)) : absl::OkStatus();
}

DatabaseCopy::~DatabaseCopy() {
  sqlite3_backup_finish(backup_);
  sqlite3_close(connection_);
  if (whole_) return;
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    unlink(absl::StrCat(path_, suffix).c_str());
  }
}

absl::StatusOr<bool> DatabaseCopy::Advance(int pages) {
  const int code = sqlite3_backup_step(backup_, pages);
  if (code == SQLITE_OK) return false;
  if (code != SQLITE_DONE) {
    // The text is of neither connection.
    return SqliteStatus(nullptr, code, absl::StrCat("copy \"", path_, "\""));
  }
  if (absl::Status status = Finish(); !status.ok()) return status;
  return true;
}

absl::Status DatabaseCopy::Finish() {
  int code = sqlite3_backup_finish(std::exchange(backup_, nullptr));
  if (code != SQLITE_OK) return Failed(code);
  // It says of itself, as its source does, that it has a write-ahead log; a file that goes
  // elsewhere alone has none.
  code = sqlite3_exec(connection_, "PRAGMA journal_mode = DELETE", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Failed(code);
  code = sqlite3_close(std::exchange(connection_, nullptr));
  if (code != SQLITE_OK) return Failed(code);
  whole_ = true;
  return absl::OkStatus();
}

absl::Status DatabaseCopy::Failed(int code) const {
  return SqliteStatus(connection_, code, absl::StrCat("copy \"", path_, "\""));
}

}  // namespace autopxe::server
