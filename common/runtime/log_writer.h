#pragma once

#include <cstddef>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/wakeup.h"

namespace autopxe {

// Writes lines to a descriptor, in their order: each at once while there are few, and many of them
// by one system call when there are thousands a second. A line is held back for `interval` at most,
// and only behind `at_once` others. What a process is killed with is lost; whatever it did before
// at leisure is not. Thread-safe.
class LogWriter {
 public:
  struct Options {
    // Every interval has so many lines that are written at once.
    size_t at_once = 16;
    absl::Duration interval = absl::Milliseconds(100);

    // Bytes that may be held back: whoever comes with more writes them all. A reader that has
    // stopped then stops who logs, and takes no more memory than this.
    size_t max_held = 64 << 10;
  };

  // Does not own `fd`.
  explicit LogWriter(int fd) : LogWriter(fd, Options()) {}
  LogWriter(int fd, const Options& options);
  // By `clock` it is seen when an interval is over.
  LogWriter(int fd, const Options& options, const Clock& clock);
  // Writes what is held back.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `line` has its end. What does not go out, such as to a closed pipe, is dropped. `urgent`: is
  // not held back, and neither is what came before.
  void Write(absl::string_view line, bool urgent) ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes what is held back.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  void WriteHeld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes what is held back when its time has come, until stopping_.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const int fd_;
  const Options options_;
  const SystemClock system_clock_;
  const Clock& clock_;
  absl::Mutex mutex_;
  std::string held_ ABSL_GUARDED_BY(mutex_);
  absl::Duration interval_end_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  size_t lines_ ABSL_GUARDED_BY(mutex_) = 0;  // In this interval.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Not a condition of the mutex: whoever unlocks one that has a waiter looks at the condition.
  Wakeup wakeup_;
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe
