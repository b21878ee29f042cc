#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/sync/problems.h"
#include "agent/view/view.h"
#include "common/model/name.h"
#include "common/runtime/clock.h"
#include "common/runtime/log_line.h"
#include "common/runtime/wakeup.h"
#include "grpcpp/channel.h"

namespace autopxe::agent {

// Keeps the view what the server's configuration is: watches it, resumes where the view is, and
// watches again with back-off when the watch ends, for as long as it takes. The view is served
// meanwhile as it is. Logs when the server comes and goes, and how old the view is.
//
// A server at revision 0 has nothing to say: it began on an empty database, perhaps by mistake. A
// view that is a real configuration is kept then, and that is a problem to be reported, until the
// server's first real revision comes, which is followed like any other.
class Follower {
 public:
  struct Options {
    AgentId agent_id;
    AgentInstance instance;  // See AgentStatus.instance.
    std::string server;      // "host:port", for the log.
    // Without a message for so long, the connection counts as lost. The server speaks every 10 s.
    absl::Duration silence = absl::Seconds(30);
    absl::Duration first_backoff = absl::Milliseconds(200);
    absl::Duration most_backoff = absl::Seconds(10);
  };

  // Called on gRPC's threads; `connected` may overlap with `applied`, which never does with itself.
  // Both return soon.
  struct Listener {
    // The server answered a watch: it is there (again). What it said first is in the view already.
    std::function<void()> connected;
    // The view holds this snapshot now.
    std::function<void(const std::shared_ptr<const Snapshot>&)> applied;
  };

  // Starts at once. The references must outlive this object.
  Follower(Options options, std::shared_ptr<grpc::Channel> channel, View& view, Problems& problems,
           const Clock& clock, Listener listener);

  // Ends the watch; the listener is not called any more.
  ~Follower();

 private:
  class Watch;

  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Follows until the watch ends; why it did.
  absl::Status RunWatch() ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsStopping() const ABSL_LOCKS_EXCLUDED(mutex_);
  // Sleeps, unless it is to stop.
  void Pause(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mutex_);
  void Publish(std::shared_ptr<const Snapshot> snapshot) ABSL_LOCKS_EXCLUDED(mutex_);
  // The view is what the server has.
  void NoteCurrent() ABSL_LOCKS_EXCLUDED(mutex_);
  // The server has nothing, and this agent keeps what it has.
  void KeepView() ABSL_LOCKS_EXCLUDED(mutex_);
  // Which revision is served, and how long ago it was known to be the server's.
  void AddView(LogLine& line) const;
  void LogAway(const absl::Status& why, bool was_connected);

  const Options options_;
  const std::shared_ptr<grpc::Channel> channel_;
  View& view_;
  Problems& problems_;
  const Clock& clock_;
  const Listener listener_;

  Wakeup wakeup_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // What came from the server does not fit the view: only a whole snapshot helps.
  bool needs_snapshot_ ABSL_GUARDED_BY(mutex_) = false;
  // That the server has nothing has been said.
  bool is_keeping_view_ ABSL_GUARDED_BY(mutex_) = false;
  // By the monotonic clock: when a message came last.
  absl::Duration heard_at_ ABSL_GUARDED_BY(mutex_);
  // Of the current watch.
  bool connected_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe::agent
