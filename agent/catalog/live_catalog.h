#pragma once

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "common/model/catalog.h"

namespace autopxe::agent {

// Holds what the last scan of the rootfs tree and of the loaders folder found. Thread-safe. No
// request ever scans.
class LiveCatalog {
 public:
  LiveCatalog(std::string rootfs_folder, std::string loaders_folder);

  // Scans both folders and replaces the catalog; logs what was skipped, and a line that sums it up.
  // A folder that can't be read leaves the catalog as it was. Errors: the system's, naming the
  // folder.
  absl::Status Rescan() ABSL_LOCKS_EXCLUDED(mutex_, scan_mutex_);

  // Never null: empty before the first scan.
  std::shared_ptr<const Catalog> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const std::string rootfs_folder_;
  const std::string loaders_folder_;
  absl::Mutex scan_mutex_;  // One scan at a time.
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Catalog> catalog_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::agent
