#include "common/runtime/wakeup.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace autopxe {
namespace {

// Without a descriptor at the start nothing can work, so that is no condition to go on from.
int OpenOrDie() {
  const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) abort();
  return fd;
}

}  // namespace

Wakeup::Wakeup() : fd_(OpenOrDie()) {}

Wakeup::~Wakeup() { close(fd_); }

void Wakeup::Notify() {
  const uint64_t one = 1;
  // Fails only when the counter is full, and then WaitFor returns anyhow.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
}

bool Wakeup::WaitFor(absl::Duration timeout) {
  Poll(-1, 0, timeout);
  return Take();
}

bool Wakeup::WaitForReadable(int fd, absl::Duration timeout) {
  const bool is_readable = Poll(fd, POLLIN, timeout);
  Take();
  return is_readable;
}

bool Wakeup::WaitForWritable(int fd, absl::Duration timeout) {
  const bool is_writable = Poll(fd, POLLOUT | POLLERR, timeout);
  Take();
  return is_writable;
}

bool Wakeup::Poll(int fd, short events, absl::Duration timeout) const {
  const timespec time = absl::ToTimespec(std::clamp(timeout, absl::ZeroDuration(), absl::Hours(1)));
  pollfd waited[2] = {{fd_, POLLIN, 0}, {fd, events, 0}};
  // A signal ends the wait early, as if the time were over: callers look at their clock anyhow.
  return ppoll(waited, 2, &time, nullptr) > 0 && (waited[1].revents & events) != 0;
}

bool Wakeup::Take() {
  uint64_t count;
  return read(fd_, &count, sizeof(count)) == sizeof(count);
}

}  // namespace autopxe
