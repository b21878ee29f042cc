#include "common/runtime/log_writer.h"

#include <unistd.h>

#include <cerrno>

namespace autopxe {
namespace {

void WriteAll(int fd, absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    bytes.remove_prefix(static_cast<size_t>(count));
  }
}

}  // namespace

LogWriter::LogWriter(int fd, const Options& options)
    : fd_(fd), options_(options), thread_([this] { Run(); }) {}

LogWriter::~LogWriter() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.Signal();
  }
  thread_.join();
  Flush();
}

void LogWriter::Write(absl::string_view line, bool urgent) {
  const absl::Duration now = clock_.Monotonic();
  absl::MutexLock lock(&mutex_);
  if (now >= interval_end_) {
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
    changed_.Signal();
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
  absl::MutexLock lock(&mutex_);
  while (!stopping_) {
    if (held_.empty()) {
      changed_.Wait(&mutex_);
      continue;
    }
    const absl::Duration left = interval_end_ - clock_.Monotonic();
    if (left > absl::ZeroDuration()) {
      changed_.WaitWithTimeout(&mutex_, left);
    } else {
      WriteHeld();
    }
  }
}

}  // namespace autopxe
