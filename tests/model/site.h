#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/sync/follower.h"
#include "agent/sync/problems.h"
#include "agent/sync/snapshot_file.h"
#include "agent/sync/snapshot_writer.h"
#include "agent/view/view.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "autopxe/v1/configuration.grpc.pb.h"
#include "common/model/catalog.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "common/model/revision.h"
#include "common/model/snapshot.h"
#include "common/runtime/clock.h"
#include "server/server.h"
#include "tests/model/relay.h"

namespace autopxe::tests {

// What every agent here offers.
const Catalog& SiteCatalog();

// The wall clock stands still until it is moved, so that what ends by itself ends when a test says;
// what time-outs are measured by goes on. Thread-safe.
class SiteClock final : public Clock {
 public:
  absl::Time Now() const override ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Duration Monotonic() const override { return system_.Monotonic(); }
  void Advance(absl::Duration duration) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  SystemClock system_;
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixSeconds(1'700'000'000);
};

// The part of an agent that follows the server: what hosts boot comes from its view.
class SiteAgent {
 public:
  // `server`: where it reaches it.
  SiteAgent(std::string id, std::string folder, std::string server);

  // Starts with what is in its folder, as an agent does, and returns that: null if there is
  // nothing.
  std::shared_ptr<const Snapshot> Start();
  // What was applied is on disk afterwards.
  void Stop();
  bool runs() const { return follower_ != nullptr; }

  // Waits until the view is at a revision. False: it takes too long.
  bool WaitFor(const RevisionId& revision) ABSL_LOCKS_EXCLUDED(mutex_);
  // Null if it never had one. Once stopped, the one that it had last.
  std::shared_ptr<const Snapshot> view() const { return view_.Current(); }

  // A host fetches the kernel of its next boot; nothing if that is not its next boot.
  absl::optional<UsedNextBoot> UseNextBoot(const MacAddress& mac, int64_t token) {
    return view_.UseNextBoot(mac, token);
  }

  const std::string& id() const { return id_; }

 private:
  const std::string id_;
  const std::string folder_;
  const std::string server_;
  const SystemClock clock_;

  absl::Mutex mutex_;
  RevisionId applied_ ABSL_GUARDED_BY(mutex_);

  agent::View view_;
  agent::Problems problems_;
  std::unique_ptr<agent::SnapshotFile> file_;
  std::unique_ptr<agent::SnapshotWriter> writer_;
  std::unique_ptr<agent::Follower> follower_;
};

// A server, the network, and agents, in one folder. Everything fails the test where it can't go on.
class Site {
 public:
  // The server runs, and so do the agents.
  Site(std::string folder, int agents);
  ~Site();

  // What agents find in place of a server that does not run.
  enum class Outage {
    kRefused,  // Nothing listens.
    kHung,     // Connections are accepted, and nothing comes over them.
  };

  void StartServer();
  // It ends in order.
  void StopServer(Outage outage);
  // It leaves what kill -9 leaves: the database's files as they are now, its write-ahead log
  // unmoved.
  void KillServer(Outage outage);
  bool server_runs() const { return server_ != nullptr; }

  // Copies the database's files beside: what a restore brings back. REQUIRES: no request is under
  // way.
  void TakeCopy();
  // REQUIRES: the server does not run; TakeCopy was called.
  void RestoreCopy();
  // Forgets how the current revision came about. REQUIRES: the server does not run.
  void TrimHistory();

  // REQUIRES: the server runs.
  v1::ConfigurationService::Stub& configuration() { return *configuration_; }
  v1::AgentService::Stub& agent_service() { return *agent_service_; }

  // The wall clock of server and agents.
  absl::Time Now() const { return clock_.Now(); }
  void PassTime(absl::Duration duration) { clock_.Advance(duration); }

  // Connections between agents and server break.
  void CutConnections() { relay_.Cut(); }
  std::vector<std::unique_ptr<SiteAgent>>& agents() { return agents_; }

 private:
  std::string Database(const std::string& subfolder) const;

  const std::string folder_;
  SiteClock clock_;
  Relay relay_;
  std::unique_ptr<server::Server> server_;
  std::unique_ptr<v1::ConfigurationService::Stub> configuration_;
  std::unique_ptr<v1::AgentService::Stub> agent_service_;
  std::vector<std::unique_ptr<SiteAgent>> agents_;
};

}  // namespace autopxe::tests
