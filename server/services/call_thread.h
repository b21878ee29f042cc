#pragma once

#include <deque>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace autopxe::server {

// A thread for calls that may wait for the disk or look at every host. gRPC's own threads, which
// are a few for all calls and watches, never do. Safe to use from any thread.
class CallThread {
 public:
  CallThread() : thread_([this] { Run(); }) {}
  // Does what has been queued, then ends.
  ~CallThread();

  CallThread(const CallThread&) = delete;
  CallThread& operator=(const CallThread&) = delete;

  // Has `work` done later, after all that was queued before.
  void Queue(std::function<void()> work) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !queue_.empty() || ending_; }
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  absl::Mutex mutex_;
  std::deque<std::function<void()>> queue_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace autopxe::server
