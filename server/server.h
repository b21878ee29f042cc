#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/model/ip_endpoint.h"
#include "common/runtime/clock.h"
#include "common/runtime/freed_memory.h"
#include "grpcpp/server.h"
#include "server/config.h"
#include "server/feed/feed.h"
#include "server/services/agent_registry.h"
#include "server/services/agent_service.h"
#include "server/services/catalog_service.h"
#include "server/services/configuration_service.h"
#include "server/services/decision_service.h"
#include "server/services/maintenance_service.h"
#include "server/services/watch_hub.h"
#include "server/store/store.h"
#include "server/store/writer.h"

namespace autopxe::server {

// The whole server: this class alone constructs its parts, in the order in which they are declared.
//
//   gRPC -> services -> writer -> store
//                          `-> feed -> watches -> gRPC
class Server {
 public:
  // Opens the database and begins to serve. `clock` outlives the server.
  // Errors, each one line that says what to do: those of Store::Open; UNAVAILABLE: an address can't
  // be listened on.
  static absl::StatusOr<std::unique_ptr<Server>> Open(const Config& config, const Clock& clock);

  // Shuts down with the grace that the configuration gives, if that has not been done.
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Where it really listens, in the order of Config::listen: port 0 has become a number.
  const std::vector<IpEndpoint>& listening() const { return listening_; }

  // Keeps the history of this time from now on; see Config::keep_history.
  void KeepHistory(absl::Duration keep);

  // Ends watches and a backup with UNAVAILABLE, takes no further calls, lets those that are there
  // end within `grace`, cuts what is left then, and writes what has been reported.
  void Shutdown(absl::Duration grace);

 private:
  Server(const Config& config, const Clock& clock, std::unique_ptr<Store> store);

  absl::Status Listen();
  // Returns once the backup has been made.
  absl::StatusOr<std::unique_ptr<BackupFile>> BackUp();

  const Config config_;
  const Clock& clock_;
  const FreedMemory freed_memory_;  // A flood of calls is over when it is over.
  std::unique_ptr<Store> store_;
  // The writer publishes to the feed, so the feed is destroyed after it; but it is made of what the
  // writer has loaded.
  std::unique_ptr<Feed> feed_;
  std::unique_ptr<Writer> writer_;
  AgentRegistry registry_;
  std::unique_ptr<WatchHub> watches_;
  std::unique_ptr<ConfigurationService> configuration_;
  std::unique_ptr<CatalogService> catalog_;
  std::unique_ptr<DecisionService> decisions_;
  std::unique_ptr<AgentService> agents_;
  std::unique_ptr<MaintenanceService> maintenance_;
  std::unique_ptr<grpc::Server> grpc_;
  std::vector<IpEndpoint> listening_;
};

}  // namespace autopxe::server
