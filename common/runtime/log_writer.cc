#include "common/runtime/log_writer.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace autopxe {
namespace {

constexpr absl::Duration kRetry = absl::Milliseconds(10);

// What poll() tells of a pipe is that a page is free (Linux, pipe_poll), and of a stream socket
// that it has three quarters of its buffer free (unix_writable): no more than PIPE_BUF, which is a
// page, is sure to be taken whole. A file takes everything.
size_t MaxPart(int fd) {
  struct stat file;
  if (fstat(fd, &file) == 0 && S_ISREG(file.st_mode)) return SIZE_MAX;
  return PIPE_BUF;
}

bool WaitUntilWritable(int fd, absl::Duration limit) {
  pollfd writable = {fd, POLLOUT, 0};
  const timespec time = absl::ToTimespec(limit);
  return ppoll(&writable, 1, &time, nullptr) > 0;
}

// Writes what of `bytes` is taken now; returns how many are done with, or can never go out.
size_t WriteSome(int fd, size_t max_part, absl::string_view bytes) {
  size_t done = 0;
  while (done < bytes.size() && WaitUntilWritable(fd, absl::ZeroDuration())) {
    const absl::string_view part = bytes.substr(done, max_part);
    const ssize_t count = write(fd, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    // Whoever has the other end may have made it non-blocking, for us too.
    if (count < 0 && errno == EAGAIN) break;
    if (count <= 0) return bytes.size();
    done += static_cast<size_t>(count);
  }
  return done;
}

}  // namespace

LogWriter::LogWriter(int fd, Options options) : LogWriter(fd, std::move(options), system_clock_) {}

LogWriter::LogWriter(int fd, Options options, const Clock& clock)
    : fd_(fd), max_part_(MaxPart(fd)), options_(std::move(options)), clock_(clock), thread_([this] {
        Run();
      }) {}

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
    if (!is_stuck_) WriteHeld();
    interval_end_ = now + options_.interval;
    lines_ = 0;
  }
  ++lines_;
  if (is_stuck_) {
    if (held_.size() >= options_.max_held) {
      ++lost_lines_;
      return;
    }
    HoldLostLines();
  }
  const bool is_first = held_.empty();
  held_.append(line.data(), line.size());
  if (is_stuck_) return;
  if (urgent || (is_first && lines_ <= options_.at_once) || held_.size() >= options_.max_batch) {
    WriteHeld();
  } else if (is_first) {
    wakeup_.Notify();
  }
}

void LogWriter::Flush() {
  const absl::Duration end = system_clock_.Monotonic() + options_.flush_limit;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      WriteHeld();
      if (!is_stuck_) return;
    }
    const absl::Duration left = end - system_clock_.Monotonic();
    if (left <= absl::ZeroDuration()) return;
    WaitUntilWritable(fd_, std::min(left, kRetry));
  }
}

void LogWriter::HoldLostLines() {
  const uint64_t lines = std::exchange(lost_lines_, 0);
  if (lines > 0 && options_.lost_lines) held_ += options_.lost_lines(lines);
}

void LogWriter::WriteHeld() {
  held_.erase(0, WriteSome(fd_, max_part_, held_));
  if (held_.empty() && lost_lines_ > 0) {
    HoldLostLines();
    held_.erase(0, WriteSome(fd_, max_part_, held_));
  }
  const bool was_stuck = std::exchange(is_stuck_, !held_.empty());
  if (is_stuck_ && !was_stuck) wakeup_.Notify();
}

void LogWriter::Run() {
  bool is_writable = false;  // poll() has said so.
  while (true) {
    absl::Duration left = absl::InfiniteDuration();
    bool is_stuck = false;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      const size_t held = held_.size();
      if (is_stuck_ || (held > 0 && clock_.Monotonic() >= interval_end_)) WriteHeld();
      is_stuck = is_stuck_;
      if (is_stuck) {
        // A terminal may have room for less than what it makes of one character.
        if (is_writable && held_.size() == held) left = kRetry;
      } else if (!held_.empty()) {
        left = interval_end_ - clock_.Monotonic();
      }
    }
    if (is_stuck && left == absl::InfiniteDuration()) {
      is_writable = wakeup_.WaitForWritable(fd_, left);
    } else {
      wakeup_.WaitFor(left);
      is_writable = false;
    }
  }
}

}  // namespace autopxe
