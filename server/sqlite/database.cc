#include "server/sqlite/database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/sqlite/status.h"

namespace autopxe::server {
namespace {

constexpr mode_t kFileMode = 0600;

absl::Status SystemStatus(absl::string_view what, const std::string& path) {
  return absl::UnavailableError(
      absl::StrCat("database \"", path, "\": ", what, ": ", strerror(errno)));
}

// Makes a rename in the folder of `path` durable.
absl::Status SyncFolder(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemStatus("can't open its folder", path);
  const absl::Cleanup closer = [fd] { close(fd); };
  if (fsync(fd) != 0) return SystemStatus("can't sync its folder", path);
  return absl::OkStatus();
}

// By name, never by opening it: closing a second descriptor of a database file would drop the locks
// that SQLite holds on it.
absl::Status RestrictMode(const std::string& path, bool must_exist) {
  struct stat found;
  if (lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT && !must_exist) return absl::OkStatus();
    return SystemStatus("can't look at it", path);
  }
  if (!S_ISREG(found.st_mode)) {
    return absl::UnavailableError(absl::StrCat("database \"", path, "\": not a regular file"));
  }
  if ((found.st_mode & 07777) == kFileMode) return absl::OkStatus();
  if (chmod(path.c_str(), kFileMode) != 0) return SystemStatus("can't set its mode to 0600", path);
  return absl::OkStatus();
}

absl::StatusOr<sqlite3*> Connect(const std::string& path, int flags) {
  sqlite3* connection = nullptr;
  // A connection is used by one thread at a time, so it needs no mutex of its own.
  const int code = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    absl::Status status = SqliteStatus(connection, code, absl::StrCat("database \"", path, "\""));
    sqlite3_close(connection);
    return status;
  }
  sqlite3_extended_result_codes(connection, 1);
  return connection;
}

}  // namespace

absl::Status Database::CreateFile(const std::string& path, int32_t application_id) {
  struct stat found;
  if (lstat(path.c_str(), &found) == 0) {
    return absl::AlreadyExistsError(absl::StrCat("database \"", path, "\": it is there already"));
  }
  const std::string unfinished = absl::StrCat(path, ".new");
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    const std::string leftover = absl::StrCat(unfinished, suffix);
    if (unlink(leftover.c_str()) != 0 && errno != ENOENT) {
      return SystemStatus("can't remove what an earlier start left", leftover);
    }
  }
  const int fd = open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  if (fd < 0) return SystemStatus("can't create it", path);
  const int mode_result = fchmod(fd, kFileMode);  // Whatever the umask.
  close(fd);
  if (mode_result != 0) return SystemStatus("can't set its mode to 0600", unfinished);

  {
    absl::StatusOr<sqlite3*> connection = Connect(unfinished, SQLITE_OPEN_READWRITE);
    if (!connection.ok()) return connection.status();
    Database database(unfinished, *connection);
    // The journal's mode is kept in the file. Closing the only connection empties the log into the
    // file and syncs it.
    absl::Status status =
        database.Execute(absl::StrCat("PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;"
                                      "PRAGMA application_id = ",
                                      application_id));
    if (status.ok()) status = database.CheckpointAndTruncate().status();
    if (!status.ok()) return status;
  }
  if (rename(unfinished.c_str(), path.c_str()) != 0) {
    return SystemStatus("can't give it its name", path);
  }
  return SyncFolder(path);
}

absl::Status Database::CheckFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemStatus("can't open it", path);
  const absl::Cleanup closer = [fd] { close(fd); };
  struct stat found;
  if (fstat(fd, &found) != 0) return SystemStatus("can't look at it", path);
  // https://www.sqlite.org/fileformat2.html#the_database_header: a text with its NUL, then the size
  // of a page.
  constexpr char kMagic[] = "SQLite format 3";
  unsigned char header[sizeof(kMagic) + 2];
  const ssize_t size = pread(fd, header, sizeof(header), 0);
  if (size < 0) return SystemStatus("can't read it", path);
  const std::string name =
      absl::StrCat("database \"", path, "\": the file of ", found.st_size, " bytes ");
  if (size < static_cast<ssize_t>(sizeof(header)) || memcmp(header, kMagic, sizeof(kMagic)) != 0) {
    return absl::DataLossError(absl::StrCat(name, "is not a database"));
  }
  int64_t page_size = header[sizeof(kMagic)] << 8 | header[sizeof(kMagic) + 1];
  if (page_size == 1) page_size = 65536;
  struct stat log;
  const bool has_log = stat(absl::StrCat(path, "-wal").c_str(), &log) == 0 && log.st_size > 0;
  // With a log, the end may have been on its way from there when the power failed.
  if (page_size < 512 || (!has_log && found.st_size % page_size != 0)) {
    return absl::DataLossError(absl::StrCat(name, "ends within a page of ", page_size));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<Database>> Database::Open(const Config& config) {
  const bool writes = config.access == Access::kReadWrite;
  struct stat found;
  if (stat(config.path.c_str(), &found) != 0 && errno == ENOENT) {
    return absl::NotFoundError(absl::StrCat("database \"", config.path, "\": no such file"));
  }
  if (writes) {
    // SQLite gives the log and its index the mode of the database.
    for (const char* suffix : {"", "-wal", "-shm"}) {
      absl::Status status = RestrictMode(absl::StrCat(config.path, suffix), *suffix == '\0');
      if (!status.ok()) return status;
    }
  }
  absl::StatusOr<sqlite3*> connection =
      Connect(config.path, writes ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY);
  if (!connection.ok()) return connection.status();
  std::unique_ptr<Database> database(new Database(config.path, *connection));
  // SQLite opens what it can't open for writing for reading.
  if (writes && sqlite3_db_readonly(*connection, "main") == 1) {
    return absl::UnavailableError(
        absl::StrCat("database \"", config.path,
                     "\": it can't be opened for writing: its file system is read-only, or it "
                     "belongs to another user"));
  }
  sqlite3_busy_timeout(*connection,
                       static_cast<int>(absl::ToInt64Milliseconds(config.busy_timeout)));
  // Double-quoted text is never a string: a misspelt column is an error.
  sqlite3_db_config(*connection, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(*connection, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  absl::Status status = database->Execute(
      "PRAGMA wal_autocheckpoint = 0; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  if (status.ok()) {
    status = database->Execute(writes ? "PRAGMA journal_mode = WAL" : "PRAGMA query_only = ON");
  }
  if (!status.ok()) return status;
  sqlite3_wal_hook(*connection, &Database::AfterCommit, database.get());
  return database;
}

Database::~Database() {
  prepared_.clear();
  // Fails only while a statement is left, which the caller has promised not to be.
  sqlite3_close(connection_);
}

int Database::AfterCommit(void* self, sqlite3*, const char*, int pages) {
  static_cast<Database*>(self)->wal_pages_ = pages;
  return SQLITE_OK;
}

absl::StatusOr<Statement> Database::Prepare(absl::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) {
    return SqliteStatus(connection_, code, absl::StrCat("statement \"", sql.substr(0, 60), "\""));
  }
  return Statement(statement);
}

absl::StatusOr<Statement*> Database::Prepared(absl::string_view sql) {
  if (const auto found = prepared_.find(sql); found != prepared_.end()) return found->second.get();
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  return prepared_.emplace(sql, std::make_unique<Statement>(*std::move(statement)))
      .first->second.get();
}

absl::Status Database::Execute(absl::string_view sql) {
  const int code = sqlite3_exec(connection_, std::string(sql).c_str(), nullptr, nullptr, nullptr);
  if (code == SQLITE_OK) return absl::OkStatus();
  return SqliteStatus(connection_, code,
                      absl::StrCat("database \"", path_, "\": \"", sql.substr(0, 60), "\""));
}

absl::StatusOr<int64_t> Database::QueryInteger(absl::string_view sql) {
  absl::StatusOr<Statement> statement = Prepare(sql);
  if (!statement.ok()) return statement.status();
  Rows rows = statement->Query();
  const absl::StatusOr<bool> row = rows.Next();
  if (!row.ok()) return row.status();
  if (!*row) return absl::NotFoundError(absl::StrCat("statement \"", sql, "\": no row"));
  return rows.Integer(0);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }

absl::StatusOr<bool> Database::RunCheckpoint(int mode) {
  int log_pages = 0;
  int moved_pages = 0;
  const int code = sqlite3_wal_checkpoint_v2(connection_, nullptr, mode, &log_pages, &moved_pages);
  const bool is_busy = (code & 0xff) == SQLITE_BUSY;
  if (code != SQLITE_OK && !is_busy) {
    return SqliteStatus(connection_, code, absl::StrCat("database \"", path_, "\": checkpoint"));
  }
  // Both are negative if it did not come so far as to know.
  if (log_pages >= 0) wal_pages_ = log_pages - moved_pages;
  return !is_busy;
}

absl::Status Database::Checkpoint() { return RunCheckpoint(SQLITE_CHECKPOINT_PASSIVE).status(); }

absl::StatusOr<bool> Database::CheckpointAndTruncate() {
  return RunCheckpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

absl::Status Database::QuickCheck() {
  absl::StatusOr<Statement> statement = Prepare("PRAGMA quick_check(1)");
  if (!statement.ok()) return statement.status();
  Rows rows = statement->Query();
  const absl::StatusOr<bool> row = rows.Next();
  if (!row.ok()) return row.status();
  if (*row && rows.Text(0) == "ok") return absl::OkStatus();
  // SQLite's finding has a heading in a line of its own.
  const std::string finding = *row ? absl::StrReplaceAll(rows.Text(0), {{"\n", " "}}) : "no answer";
  return absl::DataLossError(absl::StrCat("database \"", path_, "\": ", finding));
}

}  // namespace autopxe::server
