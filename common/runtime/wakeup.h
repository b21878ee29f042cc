#pragma once

#include "absl/time/time.h"

namespace autopxe {

// What a thread sleeps on until another has something for it or a time is up. The time-out is
// measured by the monotonic clock: absl's condition variables of 2022 wait for a time of day, and a
// step of the wall clock by a year would keep their thread asleep.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // Ends the current WaitFor, or the next one. From any thread.
  void Notify();

  // True if it was notified since the last call that returned true; false when `timeout` is over.
  // One thread at a time.
  bool WaitFor(absl::Duration timeout);

  // The same wait, which ends too when `fd` can be read (one below 0 never can): true if that is
  // so.
  bool WaitForReadable(int fd, absl::Duration timeout);
  // As well for one that can be written, or whose other end is closed.
  bool WaitForWritable(int fd, absl::Duration timeout);

 private:
  // Waits; whether one of `events` of poll() came for `fd`.
  bool Poll(int fd, short events, absl::Duration timeout) const;
  // Whether it was notified; forgets it.
  bool Take();

  const int fd_;  // An eventfd.
};

}  // namespace autopxe
