#include "agent/net/event_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "absl/strings/str_cat.h"

namespace autopxe::agent {
namespace {

// Of the eventfd; watches count from 1.
constexpr uint64_t kWakeUpId = 0;

// How many descriptors are looked at between two looks at the timers and the posted tasks.
constexpr int kEventsAtOnce = 256;

[[noreturn]] void Die(const char* broken) {
  std::fprintf(stderr, "event loop: %s\n", broken);
  std::abort();
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventLoop>> EventLoop::Open() {
  UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return absl::ErrnoToStatus(errno, "can't open an epoll descriptor");
  UniqueFd wake_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake_up.is_open()) return absl::ErrnoToStatus(errno, "can't open an eventfd");
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kWakeUpId;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake_up.get(), &event) != 0) {
    return absl::ErrnoToStatus(errno, "can't watch an eventfd");
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake_up)));
}

EventLoop::~EventLoop() {
  if (thread_.load() != std::thread::id()) Die("destroyed while it runs");
}

void EventLoop::Run() {
  std::thread::id nobody;
  if (!thread_.compare_exchange_strong(nobody, std::this_thread::get_id())) {
    Die("run by two threads");
  }
  std::array<epoll_event, kEventsAtOnce> events;
  while (RunPostedTasks()) {
    RunDueTimers();
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), MillisecondsToWait());
    if (count < 0 && errno != EINTR) Die("epoll_wait failed");
    for (int i = 0; i < count; ++i) {
      // A copy: epoll_event is packed, so that nothing may refer to what is in it.
      const uint64_t id = events[i].data.u64;
      if (id == kWakeUpId) {
        uint64_t wake_ups;
        // Non-blocking, and only empties the counter: the tasks themselves are in posted_.
        [[maybe_unused]] const ssize_t ignored = read(wake_up_.get(), &wake_ups, sizeof(wake_ups));
        continue;
      }
      // Gone if a task before it in this round has unwatched it. Ids are never used twice, so a
      // descriptor that has meanwhile been closed and opened again is not taken for the old one.
      const auto watched = watched_.find(id);
      if (watched == watched_.end()) continue;
      const std::shared_ptr<const Task> task = watched->second.on_readable;
      (*task)();
    }
  }
  thread_.store(std::thread::id());
}

void EventLoop::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  WakeUp();
}

void EventLoop::Post(Task task) {
  {
    absl::MutexLock lock(&mutex_);
    posted_.push_back(std::move(task));
  }
  WakeUp();
}

absl::StatusOr<EventLoop::WatchId> EventLoop::Watch(int fd, Task on_readable) {
  CheckThread();
  const WatchId id = ++last_id_;
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't watch descriptor ", fd));
  }
  watched_.emplace(id, Watched{fd, std::make_shared<const Task>(std::move(on_readable))});
  return id;
}

void EventLoop::Unwatch(WatchId id) {
  CheckThread();
  const auto watched = watched_.find(id);
  if (watched == watched_.end()) Die("unwatched what was not watched");
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, watched->second.fd, nullptr);
  watched_.erase(watched);
}

EventLoop::TimerId EventLoop::StartTimer(TimePoint when, Task task) {
  CheckThread();
  const TimerId id(when, ++last_id_);
  timers_.emplace(id, std::move(task));
  return id;
}

void EventLoop::CancelTimer(const TimerId& id) {
  CheckThread();
  timers_.erase(id);
}

void EventLoop::CheckThread() const {
  const std::thread::id thread = thread_.load();
  if (thread != std::thread::id() && thread != std::this_thread::get_id()) {
    Die("used by a thread that is not its own");
  }
}

int EventLoop::MillisecondsToWait() const {
  if (timers_.empty()) return -1;
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first.first - Now());
  return static_cast<int>(std::clamp<int64_t>(left.count(), 0, std::numeric_limits<int>::max()));
}

void EventLoop::RunDueTimers() {
  // One reading of the clock: timers that start due timers can't keep the sockets waiting. Those
  // started meanwhile for `now` or before are left for the next round by their number.
  const TimePoint now = Now();
  const uint64_t last_id = last_id_;
  auto timer = timers_.begin();
  while (timer != timers_.end() && timer->first.first <= now) {
    const TimerId id = timer->first;
    if (id.second <= last_id) {
      const Task task = std::move(timer->second);
      timers_.erase(timer);
      task();
    }
    timer = timers_.upper_bound(id);
  }
}

bool EventLoop::RunPostedTasks() {
  std::vector<Task> tasks;
  bool stopped;
  {
    absl::MutexLock lock(&mutex_);
    tasks.swap(posted_);
    stopped = stopped_;
  }
  for (Task& task : tasks) {
    task();
    task = nullptr;  // What it holds is released before the next one runs.
  }
  return !stopped;
}

void EventLoop::WakeUp() {
  const uint64_t one = 1;
  // Fails only if the counter is full, and then the loop wakes up all the same.
  [[maybe_unused]] const ssize_t ignored = write(wake_up_.get(), &one, sizeof(one));
}

}  // namespace autopxe::agent
