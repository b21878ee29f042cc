#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/catalog/live_catalog.h"
#include "agent/journal/journal.h"
#include "agent/sync/problems.h"
#include "agent/view/view.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "common/model/agent_status.h"
#include "common/model/ip_endpoint.h"
#include "common/model/name.h"
#include "common/runtime/backoff.h"
#include "common/runtime/clock.h"
#include "common/runtime/wakeup.h"
#include "grpcpp/channel.h"

namespace autopxe::agent {

// Tells the server how this agent is and what it offers: its status when the view or its problems
// have changed, and at least every 30 s; the catalog when it is another one (only the newest
// counts), or the server wants it. Both again after a connection. And what is in the journal, once.
// What fails is tried again with back-off, which nothing but a connection cuts short; while one of
// the latter two waits for its next attempt, the rest is told all the same. Logs that another agent
// runs under the same id, as the server sees it.
class Reporter {
 public:
  struct Options {
    AgentId agent_id;
    AgentStatus status;  // What depends on the view and the problems is filled in.
    absl::Duration interval = absl::Seconds(30);
    absl::Duration first_backoff = absl::Milliseconds(200);
    absl::Duration most_backoff = absl::Seconds(30);
    absl::Duration deadline = absl::Seconds(10);  // Of one report.
  };

  // Starts at once. The references must outlive this object, which is told of every change of
  // `problems`.
  Reporter(Options options, std::shared_ptr<grpc::Channel> channel, const View& view,
           const LiveCatalog& catalog, Journal& journal, Problems& problems, const Clock& clock);

  // Ends what is on its way.
  ~Reporter();

  // The view or the catalog may be another one, or the journal has more. From any thread; returns
  // at once.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);

  // Hosts reach the agent there from now on, and its scripts name `advertise`. From any thread;
  // returns at once.
  void SetAddresses(absl::optional<IpAddress> advertise, absl::optional<IpEndpoint> http,
                    absl::optional<IpEndpoint> tftp) ABSL_LOCKS_EXCLUDED(mutex_);

  // The server is there (again), and may know nothing. From any thread; returns at once.
  void Reconnected() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  // One of the reports, and when it may be tried again after it failed.
  struct Attempts {
    Backoff backoff;
    absl::Duration not_before = -absl::InfiniteDuration();
    std::string refused;  // What the server answered last instead of taking it.
  };

  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Reports what the server does not know yet and may be tried now. Returns when to look again,
  // unless something wakes it.
  absl::Duration Report() ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes a report, unless it is to wait. Returns when to try it again; never, if it was made.
  absl::Duration Attempt(Attempts& attempts, const std::function<absl::Status()>& report);
  // The next attempt is to wait. Returns until when.
  absl::Duration NoteFailure(Attempts& attempts, const absl::Status& status);
  static void NoteSuccess(Attempts& attempts);
  absl::Status ReportStatus(v1::AgentService::Stub& stub) ABSL_LOCKS_EXCLUDED(mutex_);
  void NoteWatches(int watches);
  absl::Status ReportUsedNextBoots(v1::AgentService::Stub& stub) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status ReportCatalog(v1::AgentService::Stub& stub) ABSL_LOCKS_EXCLUDED(mutex_);
  // Starts a call, and waits until it is done or this object is to stop.
  absl::Status Send(const std::function<void(grpc::ClientContext* context,
                                             std::function<void(grpc::Status)> done)>& start)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Whether there is something that woke it, or it is to stop.
  bool IsWoken() const ABSL_LOCKS_EXCLUDED(mutex_);
  bool IsStopping() const ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const View& view_;
  const LiveCatalog& catalog_;
  Journal& journal_;
  Problems& problems_;
  const Clock& clock_;

  // What the server has; this object's thread only.
  std::shared_ptr<const Snapshot> reported_view_;
  std::shared_ptr<const Catalog> reported_catalog_;
  std::vector<std::string> reported_problems_;
  absl::Duration reported_at_ = -absl::InfiniteDuration();
  bool is_id_shared_ = false;  // As the server said last.
  Attempts status_attempts_;
  Attempts used_attempts_;
  Attempts catalog_attempts_;
  absl::BitGen random_;

  Wakeup wakeup_;
  mutable absl::Mutex mutex_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool woken_ ABSL_GUARDED_BY(mutex_) = false;
  bool reconnected_ ABSL_GUARDED_BY(mutex_) = false;
  bool addresses_changed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<IpAddress> advertise_ ABSL_GUARDED_BY(mutex_);
  absl::optional<IpEndpoint> http_address_ ABSL_GUARDED_BY(mutex_);
  absl::optional<IpEndpoint> tftp_address_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe::agent
