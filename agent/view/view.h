#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/snapshot.h"

namespace autopxe::agent {

// Holds the configuration that the agent serves. Thread-safe; readers get a shared pointer and
// never wait for more than its copy.
class View {
 public:
  // The current snapshot; null until the first one has come, from the server or from disk.
  std::shared_ptr<const Snapshot> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  void Set(std::shared_ptr<const Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mutex_);

  // What is served was the server's current configuration at `when`, by the monotonic clock.
  void Confirm(absl::Duration when) ABSL_LOCKS_EXCLUDED(mutex_);

  // How long before `now`, by the monotonic clock, what is served was last known to be the server's
  // current configuration; unset if nothing is served, or it never was.
  absl::optional<absl::Duration> AgeAt(absl::Duration now) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> snapshot_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Duration> confirmed_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::agent
