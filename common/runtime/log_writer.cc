#include "common/runtime/log_writer.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <utility>

#include "absl/strings/str_cat.h"

namespace autopxe {
namespace {

constexpr absl::Duration kRetry = absl::Milliseconds(10);

mode_t TypeOf(int fd) {
  struct stat file;
  return fstat(fd, &file) == 0 ? file.st_mode & S_IFMT : 0;
}

// `fd` itself may be shared with other processes, which are not to find it non-blocking. Not for a
// file: another place in it would come with it.
int OpenNonBlocking(int fd) {
  const mode_t type = TypeOf(fd);
  if (type != S_IFIFO && type != S_IFCHR) return -1;
  return open(absl::StrCat("/proc/self/fd/", fd).c_str(),
              O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

// What poll() tells of a pipe is that a page is free (Linux, pipe_poll), and of a stream socket
// that it has three quarters of its buffer free (unix_writable): no more than PIPE_BUF, which is a
// page, is sure to be taken whole, and to stay whole among what others write there. A file takes
// everything.
absl::string_view NextPart(absl::string_view bytes, bool is_file) {
  if (is_file || bytes.size() <= PIPE_BUF) return bytes;
  const absl::string_view most = bytes.substr(0, PIPE_BUF);
  const size_t end = most.rfind('\n');
  return end == absl::string_view::npos ? most : most.substr(0, end + 1);
}

bool WaitUntilWritable(int fd, absl::Duration limit) {
  pollfd writable = {fd, POLLOUT, 0};
  const timespec time = absl::ToTimespec(limit);
  return ppoll(&writable, 1, &time, nullptr) > 0;
}

}  // namespace

LogWriter::LogWriter(int fd, Options options) : LogWriter(fd, std::move(options), system_clock_) {}

LogWriter::LogWriter(int fd, Options options, const Clock& clock)
    : opened_fd_(OpenNonBlocking(fd)),
      fd_(opened_fd_ >= 0 ? opened_fd_ : fd),
      is_file_(TypeOf(fd) == S_IFREG),
      options_(std::move(options)),
      clock_(clock),
      thread_([this] { Run(); }) {}

LogWriter::~LogWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wakeup_.Notify();
  thread_.join();
  Flush();
  if (opened_fd_ >= 0) close(opened_fd_);
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
  if (held_.size() >= (urgent ? options_.max_held : options_.max_held / 2)) {
    ++lost_lines_;
    return;
  }
  HoldLostLines();
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
  absl::Duration end = system_clock_.Monotonic() + options_.flush_limit;
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      const bool was_taken = WriteHeld();
      if (!is_stuck_) return;
      if (was_taken) end = system_clock_.Monotonic() + options_.flush_limit;
    }
    const absl::Duration left = end - system_clock_.Monotonic();
    if (left <= absl::ZeroDuration()) return;
    WaitUntilWritable(fd_, std::min(left, kRetry));
  }
}

void LogWriter::HoldLostLines() {
  if (lost_lines_ == 0 || !options_.lost_lines) return;
  held_ += options_.lost_lines(lost_lines_);
  told_lines_ += lost_lines_ - 1;
  lost_lines_ = 0;
}

bool LogWriter::WriteSome() {
  size_t done = 0;
  while (done < held_.size() && WaitUntilWritable(fd_, absl::ZeroDuration())) {
    const absl::string_view part = NextPart(absl::string_view(held_).substr(done), is_file_);
    const ssize_t count = write(fd_, part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    // Whoever has the other end may have made it non-blocking, for us too.
    if (count == 0 || (count < 0 && errno == EAGAIN)) break;
    if (count < 0) {
      // Who has closed a pipe wants to know nothing.
      if (errno != EPIPE) {
        const auto lines =
            std::count(held_.begin() + static_cast<ptrdiff_t>(done), held_.end(), '\n');
        lost_lines_ += static_cast<uint64_t>(lines) + told_lines_;
      }
      held_.clear();
      told_lines_ = 0;
      return false;
    }
    done += static_cast<size_t>(count);
  }
  held_.erase(0, done);
  if (held_.empty()) told_lines_ = 0;
  return done > 0;
}

bool LogWriter::WriteHeld() {
  bool was_taken = WriteSome();
  if (was_taken && held_.empty() && lost_lines_ > 0) {
    HoldLostLines();
    was_taken |= WriteSome();
  }
  const bool was_stuck = std::exchange(is_stuck_, !held_.empty());
  if (is_stuck_ && !was_stuck) wakeup_.Notify();
  return was_taken;
}

void LogWriter::Run() {
  bool is_writable = false;  // poll() has said so.
  while (true) {
    absl::Duration left = absl::InfiniteDuration();
    bool is_stuck = false;
    {
      absl::MutexLock lock(&mutex_);
      if (stopping_) return;
      const bool is_time = !held_.empty() && clock_.Monotonic() >= interval_end_;
      const bool was_taken = (is_stuck_ || is_time) && WriteHeld();
      is_stuck = is_stuck_;
      if (is_stuck) {
        // A terminal may have room for less than what it makes of one character.
        if (is_writable && !was_taken) left = kRetry;
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
