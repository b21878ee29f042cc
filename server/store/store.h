#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/host.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/agent_rows.h"
#include "server/store/history_entry.h"
#include "server/store/kernel_move_rows.h"
#include "server/store/lock_file.h"
#include "server/store/next_boot_use.h"

namespace autopxe::server {

// The server's database: the lock that makes it this process's own, the one connection that writes,
// one that reads and another for the history, and what was in it when it was opened. Writing goes
// through class Writer.
class Store {
 public:
  // More changes than this are no quicker to send than a snapshot.
  static constexpr size_t kMaxChanges = 10'000;

  // What a database holds.
  struct Content {
    std::shared_ptr<const Snapshot> snapshot;
    HostId next_host_id{1};  // The lowest that no host ever had.
    AgentReports agents;
    RecordedMoves kernel_moves;
    std::vector<NextBootUse> next_boot_uses;  // Ascending by id.
  };

  // Opens the database at `path`, or makes one if there is none, and brings its schema up to date.
  // A file that is there is never replaced, and one that is refused is not changed. Beside it lie
  // `path`-wal, `path`-shm and `path`.lock, and `path`.backup while a backup is made.
  // Errors, each with what to do:
  //   FAILED_PRECONDITION: another server has it open; it is another program's; its schema is newer
  //   or was altered. DATA_LOSS: it is damaged, truncated or empty. UNAVAILABLE,
  //   RESOURCE_EXHAUSTED: the disk.
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path, absl::Time now);

  // What it held when it was opened. REQUIRES: called once: whoever takes it keeps it current.
  Content TakeContent() { return std::exchange(content_, {}); }

  // The changes after revision `since`, in order. Empty (no vector) if they can't be told: `since`
  // is 0, in the future, was trimmed, has another tag (this server was restored from a backup), or
  // lies more than `at_most` changes back. Safe from any thread; reads the disk.
  absl::StatusOr<absl::optional<std::vector<Change>>> ChangesSince(
      const RevisionId& since, size_t at_most = kMaxChanges) const;

  // Whether `id` is a revision of this database, or may be one that was trimmed. Safe from any
  // thread; reads a row of the disk.
  absl::StatusOr<bool> HasRevision(const RevisionId& id) const;

  // What was changed: see server/store/history_entries.h. Safe from any thread; read the disk, one
  // at a time, and as long as they take: they keep nothing else waiting.
  absl::StatusOr<HistoryRevisions> FindHistory(const HistoryFilter& filter, int64_t before,
                                               size_t at_most) const;
  absl::StatusOr<absl::optional<HistoryEntry>> LoadHistory(const HistoryFilter& filter,
                                                           int64_t number) const;

  // Where a backup is made, to be taken over by class BackupFile. What a server that was killed
  // left there is removed by Open().
  std::string backup_path() const;

  // Removes what lies there. REQUIRES: no backup is being made.
  absl::Status RemoveUnfinishedBackup() const;

  // The connection that writes, for the writer's thread alone. Valid until Reopen().
  Database& writing() { return *writing_; }

  // Closes that connection and opens another, for use after an error: what was not committed is
  // gone for good then, and the disk has shown that it takes writes. For the writer's thread alone.
  // After an error of its own it can be called again, and writing() not before it succeeded.
  absl::Status Reopen();

 private:
  Store(std::string path, std::unique_ptr<LockFile> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}

  absl::Status OpenFile(absl::Time now);
  absl::Status LoadContent(Database& database);
  absl::Status OpenReading();
  // The connection for the history, opened when it is first asked for.
  absl::StatusOr<Database*> OpenHistory() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(history_mutex_);

  const std::string path_;
  const std::unique_ptr<LockFile> lock_;
  Content content_;
  // Declared before reading_, so closed after it: the last connection to be closed checkpoints. Of
  // the writer's thread alone.
  std::unique_ptr<Database> writing_;
  mutable absl::Mutex mutex_;
  std::unique_ptr<Database> reading_ ABSL_GUARDED_BY(mutex_);
  // How often reading_ was opened: the history's connection is opened anew when it is an older one.
  int64_t openings_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of its own, since a list of the history reads for seconds. Never taken under mutex_.
  mutable absl::Mutex history_mutex_;
  mutable std::unique_ptr<Database> history_ ABSL_GUARDED_BY(history_mutex_);
  mutable int64_t history_opening_ ABSL_GUARDED_BY(history_mutex_) = 0;  // openings_ when it was.
};

}  // namespace autopxe::server
