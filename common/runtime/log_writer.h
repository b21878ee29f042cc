#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
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
//
// Who logs never waits for a reader: while the one of a pipe, socket or terminal has stopped, lines
// are kept up to `max_held` bytes, and what comes then is lost and counted, as is what a full disk
// does not take. (Where the system lets nobody open the pipe or terminal anew, as of another user,
// a pipe that another process fills meanwhile, and a terminal, can still block.)
class LogWriter {
 public:
  struct Options {
    // Every interval has so many lines that are written at once.
    size_t at_once = 16;
    absl::Duration interval = absl::Milliseconds(100);

    // Bytes that are held back for the interval's end: whoever comes with more writes them all.
    size_t max_batch = 64 << 10;

    // Bytes, and a line more, that are held while no reader takes them. The second half is for
    // urgent lines, which a flood of others is not to crowd out.
    size_t max_held = 1 << 20;

    // How long the end, and Flush(), wait for a reader who takes nothing.
    absl::Duration flush_limit = absl::Seconds(1);

    // The line, with its end, that stands where `lines` of them were lost; called under a lock.
    // Nothing stands there without it.
    std::function<std::string(uint64_t lines)> lost_lines = nullptr;
  };

  // Does not own `fd`.
  explicit LogWriter(int fd) : LogWriter(fd, Options()) {}
  LogWriter(int fd, Options options);
  // By `clock` it is seen when an interval is over.
  LogWriter(int fd, Options options, const Clock& clock);
  // Writes what is held back.
  ~LogWriter();
  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  // `line` has its end. What goes to a closed pipe is dropped. `urgent`: is not held back, and
  // neither is what came before.
  void Write(absl::string_view line, bool urgent) ABSL_LOCKS_EXCLUDED(mutex_);

  // Writes what is held back; gives up on a reader that takes nothing for `flush_limit`.
  void Flush() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // Writes what is held back, as far as it is taken now. Whether any of it was.
  bool WriteHeld() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The same once; false if it is not taken, now or ever.
  bool WriteSome() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void HoldLostLines() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes what is held back when its time has come or a reader goes on, until stopping_.
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);

  const int
      opened_fd_;  // The same pipe or terminal, non-blocking and owned; below 0 if there is none.
  const int fd_;   // Where lines go.
  const bool is_file_;
  const Options options_;
  const SystemClock system_clock_;
  const Clock& clock_;
  absl::Mutex mutex_;
  std::string held_ ABSL_GUARDED_BY(mutex_);
  bool is_stuck_ ABSL_GUARDED_BY(mutex_) = false;    // What is held was not taken.
  uint64_t lost_lines_ ABSL_GUARDED_BY(mutex_) = 0;  // Behind what is held.
  // For which lines in what is held stand, beside themselves.
  uint64_t told_lines_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration interval_end_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  size_t lines_ ABSL_GUARDED_BY(mutex_) = 0;  // In this interval.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Not a condition of the mutex: whoever unlocks one that has a waiter looks at the condition.
  Wakeup wakeup_;
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe
