#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace autopxe::server {

class DatabaseCopy;
class Store;

// What is done to a database between the requests that write to it, piece by piece, on the thread
// that writes: trimming the history, and making backups. KeepHistory(), BackUp(), is_due(),
// next_trim() and has_backup() are safe from any thread; the rest is for the writer's thread alone.
class Upkeep {
 public:
  struct Config {
    // How many rows of each table are trimmed, and how many pages are backed up, at a time.
    int trimmed_rows = 500;
    int backup_pages = 256;
    // How often it is looked whether there is history to be trimmed.
    absl::Duration trim_interval = absl::Hours(1);
  };

  // Told when the history has been trimmed: the changes up to this revision can't be told any more,
  // and so many rows were deleted. Called on the writer's thread.
  using TrimmedFn = std::function<void(int64_t trimmed_to, int64_t rows)>;

  // `store` must outlive it. `now` is the server's clock, which revisions bear.
  Upkeep(Store* store, std::function<absl::Time()> now, Config config);
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;
  ~Upkeep();

  // Keeps the history of this time, from now on: trims what is older at once and at intervals.
  // Zero, as at first: keeps all of it.
  void KeepHistory(absl::Duration keep, TrimmedFn trimmed);

  // Asks for a backup, whose end is told to `done`. Errors, and then `done` is not called:
  // RESOURCE_EXHAUSTED: one is being made already.
  absl::Status BackUp(std::function<void(absl::Status)> done);

  // Whether there is something to be done now. While the history is kept for a time, there is also
  // when it is next_trim(), on the monotonic clock; else that is never.
  bool is_due() const;
  std::chrono::steady_clock::time_point next_trim() const;

  // Trims a piece of the history, if a pass is under way or due. `others_wait`: then not each time.
  // `has_database`: false while the database has failed; the pass ends then. Errors: the
  // database's, after which the pass has ended as well.
  absl::Status Trim(bool others_wait, bool has_database);

  // Whether a backup is being made.
  bool has_backup() const;
  // The next piece of it. REQUIRES: has_backup(), and the database has not failed.
  void AdvanceBackup();
  // Ends it, if there is one, with this outcome.
  void EndBackup(const absl::Status& status);
  // Ends what holds on to the connection that writes, which is a backup that has begun.
  void LetGo(const absl::Status& status);

 private:
  // Whether there was anything to do.
  absl::StatusOr<bool> TrimRows(absl::Time until);
  absl::StatusOr<bool> CopyPages();

  Store* const store_;
  const std::function<absl::Time()> now_;
  const Config config_;

  // Of the writer's thread alone.
  std::unique_ptr<DatabaseCopy> copy_;  // The backup that is being made, once it has begun.
  int64_t rows_trimmed_ = 0;            // In this pass.
  int rounds_since_trim_ = 0;

  mutable absl::Mutex mutex_;
  absl::Duration keep_history_ ABSL_GUARDED_BY(mutex_);
  TrimmedFn trimmed_ ABSL_GUARDED_BY(mutex_);
  bool trimming_ ABSL_GUARDED_BY(mutex_) = false;  // A pass is under way.
  std::chrono::steady_clock::time_point next_trim_ ABSL_GUARDED_BY(mutex_);
  std::function<void(absl::Status)> backup_done_ ABSL_GUARDED_BY(mutex_);  // Set: one is asked for.
};

}  // namespace autopxe::server
