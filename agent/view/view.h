#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "common/model/snapshot.h"

namespace autopxe::agent {

// Holds the configuration that the agent serves: what the server sent, without the next boots that
// have been used up here since. Thread-safe; readers get a shared pointer and never wait for more
// than its copy.
class View {
 public:
  // What is served; null until the first snapshot has come, from the server or from disk.
  std::shared_ptr<const Snapshot> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  // The same as the server sent it: what its changes apply to, and what is kept on disk.
  std::shared_ptr<const Snapshot> Received() const ABSL_LOCKS_EXCLUDED(mutex_);

  // `snapshot` is as the server sent it. Next boots that were used up here stay used up until it
  // has them no more.
  void Set(std::shared_ptr<const Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mutex_);

  // The host of this MAC has done its next boot, if `token` is that one's: given to one caller
  // only, whatever several threads say at once, and to nobody if there is no such next boot.
  absl::optional<UsedNextBoot> UseNextBoot(const MacAddress& mac, int64_t token)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // These were used up before this object was made. To be called before the first Set.
  void NoteUsed(std::vector<UsedNextBoot> used) ABSL_LOCKS_EXCLUDED(mutex_);

  // What is served was the server's current configuration at `when`, by the monotonic clock.
  void Confirm(absl::Duration when) ABSL_LOCKS_EXCLUDED(mutex_);

  // How long before `now`, by the monotonic clock, what is served was last known to be the server's
  // current configuration; unset if nothing is served, or it never was.
  absl::optional<absl::Duration> AgeAt(absl::Duration now) const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> received_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const Snapshot> current_ ABSL_GUARDED_BY(mutex_);
  // Those that received_ still has; all of them until there is one.
  std::vector<UsedNextBoot> used_ ABSL_GUARDED_BY(mutex_);
  absl::optional<absl::Duration> confirmed_at_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::agent
