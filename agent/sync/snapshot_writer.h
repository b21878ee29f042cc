#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/sync/problems.h"
#include "common/model/snapshot.h"
#include "common/runtime/wakeup.h"

namespace autopxe::agent {

// Brings the current snapshot to disk soon after it changed, on a thread of its own: the newest
// wins, whatever came in between.
//
// What an agent that dies at any moment finds again is one whole snapshot that the server once had:
// the newest that was taken more than the gathering time and the time of one write before, unless
// the disk failed; and never an older one than a save that succeeded left there.
class SnapshotWriter {
 public:
  using Save = std::function<absl::Status(const std::shared_ptr<const Snapshot>& snapshot)>;

  struct Options {
    // How long changes gather before a write: with the write itself, well within a second.
    absl::Duration gather = absl::Milliseconds(200);
    // After a write that failed.
    absl::Duration retry = absl::Seconds(5);
  };

  // `save` is called on one thread at a time. That it fails is told to `problems`, which outlives
  // this object.
  SnapshotWriter(Options options, Problems& problems, Save save);

  // Writes what is not written yet, tries no second time, and ends the thread.
  ~SnapshotWriter();

  // Takes note, and returns at once. From any thread.
  void Write(std::shared_ptr<const Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  bool HasWork() const ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsStopping() const ABSL_LOCKS_EXCLUDED(mutex_);
  std::shared_ptr<const Snapshot> TakePending() ABSL_LOCKS_EXCLUDED(mutex_);
  // Unless a newer one is pending already.
  void PutBack(std::shared_ptr<const Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  Problems& problems_;
  const Save save_;
  Wakeup wakeup_;
  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> pending_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe::agent
