#include "server/services/watch_hub.h"

#include <utility>
#include <vector>

namespace autopxe::server {
namespace {

grpc::Status Stopping() {
  return grpc::Status(grpc::StatusCode::UNAVAILABLE,
                      "the server is stopping; watch again with back-off");
}

}  // namespace

WatchHub::WatchHub(Feed& feed, const Clock& clock, Options options)
    : feed_(feed), clock_(clock), options_(options), encoded_(feed) {
  subscription_ = feed_.Subscribe([this] { news_.Notify(); });
  pump_ = std::thread([this] { RunPump(); });
  preparer_ = std::thread([this] { RunPreparer(); });
}

WatchHub::~WatchHub() {
  subscription_.End();
  {
    absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &WatchHub::IsEmpty));
    ending_ = true;
  }
  news_.Notify();
  pump_.join();
  preparer_.join();
}

Watch* WatchHub::Start(absl::optional<RevisionId> resume_from,
                       std::function<void(const Watch::Summary&)> done) {
  Watch::Options options;
  options.feed = &feed_;
  options.encoded = &encoded_;
  options.clock = &clock_;
  options.heartbeat = options_.heartbeat;
  options.resume_from = resume_from;
  options.prepare = [this](std::shared_ptr<Watch> watch) {
    absl::MutexLock lock(&mutex_);
    to_prepare_.push_back(std::move(watch));
  };
  options.done = [this, done = std::move(done)](const std::shared_ptr<Watch>& watch,
                                                const Watch::Summary& summary) {
    done(summary);
    absl::MutexLock lock(&mutex_);
    watches_.erase(watch);
  };
  std::shared_ptr<Watch> watch = Watch::Create(std::move(options));
  bool stopped;
  {
    absl::MutexLock lock(&mutex_);
    watches_.insert(watch);
    stopped = stopped_;
    if (!stopped) to_prepare_.push_back(watch);
  }
  if (stopped) watch->Stop(Stopping());
  return watch.get();
}

void WatchHub::Stop() {
  std::vector<std::shared_ptr<Watch>> watches;
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
    watches.assign(watches_.begin(), watches_.end());
  }
  for (const std::shared_ptr<Watch>& watch : watches) watch->Stop(Stopping());
}

size_t WatchHub::watches() const {
  absl::MutexLock lock(&mutex_);
  return watches_.size();
}

void WatchHub::RunPump() {
  while (true) {
    const bool published = news_.WaitFor(options_.tick);
    std::vector<std::shared_ptr<Watch>> watches;
    {
      absl::MutexLock lock(&mutex_);
      if (ending_) return;
      watches.assign(watches_.begin(), watches_.end());
    }
    // A watch's own lock is never taken under the hub's: a watch asks the hub to prepare it under
    // its own.
    for (const std::shared_ptr<Watch>& watch : watches) {
      if (published) watch->Wake();
      watch->Beat();
    }
  }
}

void WatchHub::RunPreparer() {
  while (true) {
    std::shared_ptr<Watch> watch;
    {
      absl::MutexLock lock(&mutex_);
      mutex_.Await(absl::Condition(this, &WatchHub::HasWork));
      if (ending_) return;
      watch = std::move(to_prepare_.front());
      to_prepare_.pop_front();
    }
    watch->Prepare();
  }
}

}  // namespace autopxe::server
