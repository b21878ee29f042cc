#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/model/snapshot.h"

namespace autopxe::agent {

// Holds the configuration that the agent serves. Thread-safe; readers get a shared pointer and
// never wait for more than its copy.
class View {
 public:
  // The current snapshot; null until the first one has come, from the server or from disk.
  std::shared_ptr<const Snapshot> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  void Set(std::shared_ptr<const Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::agent
