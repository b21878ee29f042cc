#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "agent/net/unique_fd.h"

namespace autopxe::agent {

// Waits for sockets, timers and other threads' tasks, and runs what each asked for, on the one
// thread that is in Run().
//
// Post() and Stop() may be called from any thread. Everything else belongs to the loop's thread: it
// may be called from what the loop runs, and from any one thread while nobody is in Run() (to set
// things up, and to take them down). A call from elsewhere crashes. Time is monotonic: the wall
// clock is never read.
class EventLoop {
 public:
  using Clock = std::chrono::steady_clock;
  using TimePoint = Clock::time_point;
  using Task = std::function<void()>;
  using WatchId = uint64_t;
  // When it is due, and a number that tells timers of one instant apart.
  using TimerId = std::pair<TimePoint, uint64_t>;

  // Errors: the system's (out of descriptors or memory).
  static absl::StatusOr<std::unique_ptr<EventLoop>> Open();

  // REQUIRES: nobody is in Run().
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Returns after Stop(), which may have come before; tasks posted before the Stop() have run then.
  void Run();

  // Thread-safe.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs `task` on the loop's thread, in the order of the calls. A task that is posted after Stop()
  // may never run; it is destroyed with the loop. Thread-safe.
  void Post(Task task) ABSL_LOCKS_EXCLUDED(mutex_);

  // Runs `on_readable` whenever `fd` has something to read (level-triggered), until Unwatch(). The
  // caller keeps the descriptor open until then. Errors: the system's.
  absl::StatusOr<WatchId> Watch(int fd, Task on_readable);

  // Afterwards the task does not run any more, even if the descriptor was found readable already.
  // From within the task itself it is allowed as well: the task stays alive until it returns.
  void Unwatch(WatchId id);

  // Runs `task` once, at `when` or as soon after as the loop comes to it; timers of one instant in
  // the order of the calls.
  TimerId StartTimer(TimePoint when, Task task);

  // Nothing happens if it has run or was cancelled before.
  void CancelTimer(const TimerId& id);

  static TimePoint Now() { return Clock::now(); }

 private:
  struct Watched {
    int fd;
    std::shared_ptr<const Task> on_readable;
  };

  EventLoop(UniqueFd epoll, UniqueFd wake_up)
      : epoll_(std::move(epoll)), wake_up_(std::move(wake_up)) {}

  void CheckThread() const;
  // Milliseconds until the next timer, rounded up; -1 if there is none.
  int MillisecondsToWait() const;
  void RunDueTimers();
  // False if the loop is to end.
  bool RunPostedTasks() ABSL_LOCKS_EXCLUDED(mutex_);
  void WakeUp();

  const UniqueFd epoll_;
  const UniqueFd wake_up_;
  std::atomic<std::thread::id> thread_ =
      std::thread::id();  // Of Run(); none while nobody is in it.

  // The loop's thread only.
  absl::flat_hash_map<WatchId, Watched> watched_;
  std::map<TimerId, Task> timers_;
  uint64_t last_id_ = 0;

  absl::Mutex mutex_;
  std::vector<Task> posted_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace autopxe::agent
