#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/revision.h"
#include "common/runtime/clock.h"
#include "common/runtime/wakeup.h"
#include "server/feed/feed.h"
#include "server/services/encoded_feed.h"
#include "server/services/watch.h"

namespace autopxe::server {

// All watches, on two threads however many there are: one wakes them when something is published
// and sends their heartbeats, one does what takes long (a resume from the tables, the encoding of a
// snapshot).
class WatchHub {
 public:
  struct Options {
    absl::Duration heartbeat = absl::Seconds(10);  // By the clock that is passed.
    absl::Duration tick = absl::Seconds(1);        // How often it is looked whether one is due.
  };

  // `feed` and `clock` outlive this object.
  WatchHub(Feed& feed, const Clock& clock, Options options);
  WatchHub(Feed& feed, const Clock& clock) : WatchHub(feed, clock, Options()) {}

  // Waits for the last watch to be done: stop, then shut the gRPC server down, then destroy.
  ~WatchHub();

  WatchHub(const WatchHub&) = delete;
  WatchHub& operator=(const WatchHub&) = delete;

  // A watch that has begun, to be handed to gRPC. `done` is called once it has ended.
  Watch* Start(absl::optional<RevisionId> resume_from,
               std::function<void(const Watch::Summary&)> done) ABSL_LOCKS_EXCLUDED(mutex_);

  // Ends every watch, now and later, with UNAVAILABLE.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

  size_t watches() const ABSL_LOCKS_EXCLUDED(mutex_);
  const EncodedFeed& encoded() const { return encoded_; }

 private:
  bool IsEmpty() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return watches_.empty(); }
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return !to_prepare_.empty() || ending_;
  }
  void RunPump() ABSL_LOCKS_EXCLUDED(mutex_);
  void RunPreparer() ABSL_LOCKS_EXCLUDED(mutex_);

  Feed& feed_;
  const Clock& clock_;
  const Options options_;
  EncodedFeed encoded_;

  mutable absl::Mutex mutex_;
  std::set<std::shared_ptr<Watch>> watches_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<Watch>> to_prepare_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;  // The threads are to end.
  Wakeup news_;  // For the pump: something was published, or it is to end.

  Feed::Subscription subscription_;
  std::thread pump_;
  std::thread preparer_;
};

}  // namespace autopxe::server
