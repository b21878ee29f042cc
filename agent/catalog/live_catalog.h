#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/catalog/catalog_folders.h"
#include "agent/catalog/scan.h"
#include "agent/catalog/tree_changes.h"
#include "agent/catalog/tree_watch.h"
#include "common/model/catalog.h"
#include "common/runtime/clock.h"

namespace autopxe::agent {

// Holds what the last scan of the rootfs tree, of the loaders folder and of the folder of files
// found. Thread-safe. No request ever scans.
class LiveCatalog {
 public:
  // `watch`: learns where the tree changes; null where nothing can. `clock` tells files that are
  // being written from others; it must outlive this object; null: the system's.
  explicit LiveCatalog(CatalogFolders folders, std::unique_ptr<TreeWatch> watch = nullptr,
                       const Clock* clock = nullptr);

  // What became of a scan.
  struct Outcome {
    bool is_changed = false;  // Current() is another one.
    // False: files are being written, or could not be read. A scan after kQuiet finds more.
    bool is_settled = true;
  };

  // Scans, and replaces the catalog if it differs; logs what is skipped or kept now and was not
  // before,
  // which names of kernels stand for another version, and a line that sums it up. A folder that
  // can't be read leaves the catalog as it was. Errors: the system's, naming the folder.
  absl::StatusOr<Outcome> Rescan(const TreeChanges& changes)
      ABSL_LOCKS_EXCLUDED(mutex_, scan_mutex_);
  // The same for everything.
  absl::Status Rescan() ABSL_LOCKS_EXCLUDED(mutex_, scan_mutex_);

  // Becomes readable when the tree may have changed; -1 where nothing watches it.
  int watch_fd() const { return watch_ == nullptr ? -1 : watch_->fd(); }
  // See TreeWatch::Read.
  bool ReadChanges(TreeChanges& changes) ABSL_LOCKS_EXCLUDED(scan_mutex_);

  // Never null: empty before the first scan.
  std::shared_ptr<const Catalog> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Why the last scan could not be made, so that Current() is older; or OK.
  absl::Status LastError() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void LogScan(const Scan& scan, const Catalog& before, absl::Duration took)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(scan_mutex_);
  void LogWatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(scan_mutex_);

  const SystemClock system_clock_;
  const Clock& clock_;
  const std::unique_ptr<TreeWatch> watch_;  // Itself used under scan_mutex_, save for its fd().

  absl::Mutex scan_mutex_;  // One scan at a time.
  Scanner scanner_ ABSL_GUARDED_BY(scan_mutex_);
  std::vector<ScanWarning> warnings_ ABSL_GUARDED_BY(scan_mutex_);  // Of the last scan, sorted.
  bool is_summed_up_ ABSL_GUARDED_BY(scan_mutex_) = false;          // By a line in the log.
  bool is_watch_full_ ABSL_GUARDED_BY(scan_mutex_) = false;         // And the log says so.

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Catalog> catalog_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::agent
