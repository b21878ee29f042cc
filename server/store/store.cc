#include "server/store/store.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "migrations/migrations.h"
#include "server/sqlite/transaction.h"
#include "server/sqlite/write_ahead_log.h"
#include "server/store/change_rows.h"
#include "server/store/history_entries.h"
#include "server/store/host_rows.h"
#include "server/store/next_boot_use_rows.h"
#include "server/store/schema.h"

namespace autopxe::server {
namespace {

enum class Presence { kMissing, kEmpty, kPresent };

absl::StatusOr<Presence> Look(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::symlink_status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) return Presence::kMissing;
  if (error) return absl::UnavailableError(absl::StrCat("can't look at it: ", error.message()));
  if (!std::filesystem::is_regular_file(status)) {
    return absl::FailedPreconditionError("not a regular file; name another one");
  }
  const auto size = std::filesystem::file_size(path, error);
  if (error) return absl::UnavailableError(absl::StrCat("can't look at it: ", error.message()));
  return size == 0 ? Presence::kEmpty : Presence::kPresent;
}

// Makes the database if nothing at all is there of it.
absl::Status CreateIfMissing(const std::string& path) {
  ASSIGN_OR_RETURN(const Presence database, Look(path));
  if (database == Presence::kPresent) return absl::OkStatus();
  if (database == Presence::kEmpty) return absl::DataLossError("the file is empty");
  ASSIGN_OR_RETURN(const Presence log, Look(absl::StrCat(path, "-wal")));
  if (log == Presence::kPresent) {
    return absl::DataLossError("the file is gone, but its write-ahead log is there");
  }
  return Database::CreateFile(path, kApplicationId);
}

// Names the database and, for damage, what to do.
absl::Status Named(const std::string& path, const absl::Status& status) {
  if (status.ok()) return status;
  std::string message(status.message());
  const std::string name = absl::StrCat("database \"", path, "\"");
  if (!absl::StartsWith(message, name)) message = absl::StrCat(name, ": ", message);
  if (status.code() == absl::StatusCode::kDataLoss && !absl::StrContains(message, "backup")) {
    absl::StrAppend(&message,
                    "; restore a backup, or move the file and what lies beside it away to start "
                    "with nothing");
  }
  return absl::Status(status.code(), message);
}

// Makes what `writing` sees of the database durable, and the one thing that a later start can find,
// whatever lies behind the log's end: a commit whose sync failed, or parts of one that was torn.
// The write goes to the log's end, so over the first frame of that, and every frame behind bears a
// checksum that goes on from the frame that is gone; and its sync is one of the whole log.
absl::Status WriteNothingNew(Database& writing) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(writing));
  // SQLite writes no page for a row that is set to what it is.
  RETURN_IF_ERROR(writing.Run("UPDATE history SET trimmed_to = trimmed_to + 1"));
  RETURN_IF_ERROR(writing.Run("UPDATE history SET trimmed_to = trimmed_to - 1"));
  return transaction.Commit();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const std::string& path, absl::Time now) {
  ASSIGN_OR_RETURN(std::unique_ptr<LockFile> lock, LockFile::Open(absl::StrCat(path, ".lock")));
  std::unique_ptr<Store> store(new Store(path, std::move(lock)));
  RETURN_IF_ERROR(Named(path, store->OpenFile(now)));
  return store;
}

absl::Status Store::OpenFile(absl::Time now) {
  RETURN_IF_ERROR(CreateIfMissing(path_));
  RETURN_IF_ERROR(Database::CheckFile(path_));
  RETURN_IF_ERROR(CheckWriteAheadLog(absl::StrCat(path_, "-wal")));
  size_t missing_migrations = 0;
  {
    // Whatever is wrong with the database is found by a connection that can't change it: the one
    // that writes would at its end move the log into a file that somebody wants to look at.
    ASSIGN_OR_RETURN(const std::unique_ptr<Database> looking,
                     Database::Open({.path = path_, .access = Database::Access::kReadOnly}));
    RETURN_IF_ERROR(looking->QuickCheck());
    ASSIGN_OR_RETURN(missing_migrations, CheckSchema(*looking, Migrations()));
    if (missing_migrations == 0) RETURN_IF_ERROR(LoadContent(*looking));
  }
  ASSIGN_OR_RETURN(writing_, Database::Open({.path = path_}));
  if (missing_migrations > 0) {
    RETURN_IF_ERROR(UpgradeSchema(*writing_, Migrations(), now));
    RETURN_IF_ERROR(LoadContent(*writing_));
  }
  // So that nothing lies behind the log's end that looks like transactions of this start's log, and
  // what was read of it is durable. Whoever reads an older state (a shell, a backup) keeps the log
  // from being emptied; a write is as good then. Without that need there is none, since a disk that
  // is full does not keep a server from starting.
  ASSIGN_OR_RETURN(const bool is_emptied, writing_->CheckpointAndTruncate());
  if (!is_emptied) RETURN_IF_ERROR(WriteNothingNew(*writing_));
  RETURN_IF_ERROR(RemoveUnfinishedBackup());
  return OpenReading();
}

absl::Status Store::LoadContent(Database& database) {
  ASSIGN_OR_RETURN(content_.snapshot, LoadSnapshot(database));
  ASSIGN_OR_RETURN(content_.next_host_id, LoadNextHostId(database));
  ASSIGN_OR_RETURN(content_.agents, LoadAgentReports(database));
  ASSIGN_OR_RETURN(content_.kernel_moves, LoadKernelMoves(database));
  ASSIGN_OR_RETURN(content_.next_boot_uses, LoadNextBootUses(database));
  return absl::OkStatus();
}

std::string Store::backup_path() const { return absl::StrCat(path_, ".backup"); }

absl::Status Store::RemoveUnfinishedBackup() const {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    std::error_code error;
    std::filesystem::remove(absl::StrCat(backup_path(), suffix), error);
    if (error) {
      return absl::UnavailableError(
          absl::StrCat("can't remove ", backup_path(), suffix,
                       ", which an earlier start left: ", error.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status Store::OpenReading() {
  ASSIGN_OR_RETURN(std::unique_ptr<Database> reading,
                   Database::Open({.path = path_, .access = Database::Access::kReadOnly}));
  absl::MutexLock lock(&mutex_);
  reading_ = std::move(reading);
  ++openings_;
  return absl::OkStatus();
}

absl::StatusOr<Database*> Store::OpenHistory() const {
  int64_t opening;
  {
    absl::MutexLock lock(&mutex_);
    opening = openings_;
  }
  if (history_ == nullptr || history_opening_ != opening) {
    history_.reset();
    ASSIGN_OR_RETURN(history_,
                     Database::Open({.path = path_, .access = Database::Access::kReadOnly}));
    history_opening_ = opening;
  }
  return history_.get();
}

absl::Status Store::Reopen() {
  // Two connections that write would be one too many, be it for a moment. The one that reads stays
  // meanwhile, so that the index of the log lives on, which knows what was committed.
  writing_.reset();
  const auto open = [this]() -> absl::Status {
    ASSIGN_OR_RETURN(std::unique_ptr<Database> writing, Database::Open({.path = path_}));
    // A commit whose sync failed may be in the log all the same, and a start after a crash would
    // find it there. Emptying the log drops it and the write makes that durable; while somebody
    // reads an older state (one of ours, a shell, a backup) the write alone does.
    RETURN_IF_ERROR(writing->CheckpointAndTruncate().status());
    RETURN_IF_ERROR(WriteNothingNew(*writing));
    RETURN_IF_ERROR(OpenReading());
    writing_ = std::move(writing);
    return absl::OkStatus();
  };
  return Named(path_, open());
}

absl::StatusOr<absl::optional<std::vector<Change>>> Store::ChangesSince(const RevisionId& since,
                                                                        size_t at_most) const {
  absl::MutexLock lock(&mutex_);
  return LoadChangesSince(*reading_, since, at_most);
}

absl::StatusOr<bool> Store::HasRevision(const RevisionId& id) const {
  absl::MutexLock lock(&mutex_);
  ASSIGN_OR_RETURN(const absl::optional<Revision> revision, FindRevision(*reading_, id.number));
  if (revision.has_value()) return revision->id == id;
  ASSIGN_OR_RETURN(const int64_t trimmed_to, LoadTrimmedTo(*reading_));
  return id.number > 0 && id.number < trimmed_to;
}

absl::StatusOr<HistoryRevisions> Store::FindHistory(const HistoryFilter& filter, int64_t before,
                                                    size_t at_most) const {
  absl::MutexLock lock(&history_mutex_);
  ASSIGN_OR_RETURN(Database* const database, OpenHistory());
  return FindHistoryRevisions(*database, filter, before, at_most);
}

absl::StatusOr<absl::optional<HistoryEntry>> Store::LoadHistory(const HistoryFilter& filter,
                                                                int64_t number) const {
  absl::MutexLock lock(&history_mutex_);
  ASSIGN_OR_RETURN(Database* const database, OpenHistory());
  return LoadHistoryEntry(*database, filter, number);
}

}  // namespace autopxe::server
