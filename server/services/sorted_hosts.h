#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/model/snapshot.h"

namespace autopxe::server {

// The hosts of a snapshot by name, sorted once for all the pages of a list. Safe to use from any
// thread.
class SortedHosts {
 public:
  using Hosts = std::vector<std::shared_ptr<const Host>>;

  // Ascending by name. Sorts when the snapshot is another one than the last time.
  std::shared_ptr<const Hosts> Of(const std::shared_ptr<const Snapshot>& snapshot)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Hosts> hosts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::server
