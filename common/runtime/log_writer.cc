#include "common/runtime/log_writer.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>

namespace autopxe {
namespace {

void WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) {
      // Whoever has the other end may have made it non-blocking, for us too.
      pollfd writable = {fd, POLLOUT, 0};
      poll(&writable, 1, -1);
      continue;
    }
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace

LogWriter::LogWriter(int fd, const Options& options) : LogWriter(fd, options, system_clock_) {}

LogWriter::LogWriter(int fd, const Options& options, const Clock& clock)
    : fd_(fd), options_(options), clock_(clock), thread_([this] { Run(); }) {}

LogWriter::~LogWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wakeup_.Notify();
  thread_.join();
  Flush();
}

void LogWriter::Write(absl::string_view line, bool urgent) {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  if (now >= interval_end_) {
    // The thread may come late: what is held back is not to wait for another interval.
    WriteHeld();
    interval_end_ = now + options_.interval;
    lines_ = 0;
  }
  ++lines_;
  const bool is_first = held_.empty();
  if (is_first && (urgent || lines_ <= options_.at_once)) {
    WriteAll(fd_, line);
    return;
  }
  held_.append(line.data(), line.size());
  if (urgent || held_.size() >= options_.max_held) {
    WriteHeld();
  } else if (is_first) {
    wakeup_.Notify();
  }
}

void LogWriter::Flush() {
  absl::MutexLock lock(&mutex_);
  WriteHeld();
}

void LogWriter::WriteHeld() {
  WriteAll(fd_, held_);
  held_.clear();
}

void LogWriter::Run() {
  while (true) {
    absl::Duration left = absl::InfiniteDuration();
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      if (!held_.empty()) left = interval_end_ - clock_.Monotonic();
      if (left <= absl::ZeroDuration()) {
        WriteHeld();
        left = absl::InfiniteDuration();
      }
    }
    wakeup_.WaitFor(left);
  }
}

}  // namespace autopxe
