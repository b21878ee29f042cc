#include "bench/load.h"

#include <sys/epoll.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <utility>

#include "agent/net/unique_fd.h"
#include "bench/place.h"

namespace autopxe::bench {
namespace {

using Clock = TftpRead::TimePoint::clock;

// How exactly time-outs are kept.
constexpr std::chrono::milliseconds kTick{5};
constexpr int kEventsAtOnce = 256;

double CpuSeconds() {
  timespec used;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0) return 0;
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace

class Load::Engine {
 public:
  explicit Engine(LoadOptions options)
      : options_(std::move(options)),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        course_(options_, epoll_.get()) {}

  absl::StatusOr<LoadResult> Run();

 private:
  const LoadOptions options_;
  const agent::UniqueFd epoll_;
  Course course_;
  std::vector<std::unique_ptr<Place>> places_;
};

absl::StatusOr<LoadResult> Load::Engine::Run() {
  if (!epoll_.is_open()) return absl::ErrnoToStatus(errno, "can't open an epoll");
  for (uint32_t i = 0; i < std::min(options_.at_once, options_.hosts); ++i) {
    places_.push_back(std::make_unique<Place>(course_, i));
    places_.back()->Prepare();
  }
  const Clock::time_point begun = Clock::now();
  const double cpu = CpuSeconds();
  for (const auto& place : places_) place->Begin(Clock::now());
  Clock::time_point tick = begun + kTick;
  std::array<epoll_event, kEventsAtOnce> events;
  while (course_.result.done + course_.result.failed + course_.result.silent < options_.hosts) {
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(tick - Clock::now());
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(),
                                 std::max(0, static_cast<int>(wait.count())));
    if (count < 0 && errno != EINTR) return absl::ErrnoToStatus(errno, "can't wait for sockets");
    const Clock::time_point now = Clock::now();
    for (int i = 0; i < count; ++i) {
      places_[events[i].data.u32]->OnEvent(events[i].events, now);
    }
    if (now >= tick) {
      for (const auto& place : places_) place->OnTick(now);
      tick = now + kTick;
    }
  }
  LoadResult result = course_.result;
  result.seconds = std::chrono::duration<double>(Clock::now() - begun).count();
  result.client_cpu = CpuSeconds() - cpu;
  result.dropped = course_.loss.dropped();
  std::sort(result.took_ms.begin(), result.took_ms.end());
  return result;
}

Load::Load(LoadOptions options) : engine_(std::make_unique<Engine>(std::move(options))) {}

Load::~Load() = default;

absl::StatusOr<LoadResult> Load::Run() { return engine_->Run(); }

}  // namespace autopxe::bench
