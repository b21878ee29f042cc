#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "autopxe/v1/decision.grpc.pb.h"
#include "common/model/host.h"
#include "common/runtime/clock.h"
#include "server/feed/feed.h"
#include "server/services/agent_registry.h"
#include "server/services/call_thread.h"
#include "server/services/catalog_service.h"
#include "server/services/explained_agent.h"
#include "server/services/sorted_hosts.h"
#include "server/store/next_boot_use.h"

namespace autopxe::server {

// NextBootUses::UsedTwice of what agents have reported.
using UsedTwiceFn = std::function<std::vector<NextBootUse>(HostId)>;

// See autopxe/v1/decision.proto. Decides on a thread of its own: a menu of a thousand kernels is
// rendered for one answer, and a page is a thousand decisions.
class DecisionService final : public v1::DecisionService::CallbackService {
 public:
  // The references outlive this object.
  DecisionService(CurrentCatalogsFn catalogs, UsedTwiceFn used_twice, const AgentRegistry& registry,
                  const Feed& feed, const Clock& clock);

  grpc::ServerUnaryReactor* Explain(grpc::CallbackServerContext* context,
                                    const v1::ExplainRequest* request,
                                    v1::ExplainResponse* response) override;
  grpc::ServerUnaryReactor* ListDecisions(grpc::CallbackServerContext* context,
                                          const v1::ListDecisionsRequest* request,
                                          v1::ListDecisionsResponse* response) override;

 private:
  grpc::Status FillExplanation(const v1::ExplainRequest& request, v1::ExplainResponse& response);
  grpc::Status FillList(const v1::ListDecisionsRequest& request,
                        v1::ListDecisionsResponse& response);
  // Errors: those of Explain.
  absl::StatusOr<AgentRegistry::Entry> FindAgent(const std::string& id) const;
  // `catalog`: what the agent offers; null if it has not told it.
  v1::ExplainResponse ExplainAt(const AgentRegistry::Entry& agent,
                                std::shared_ptr<const Catalog> catalog, const Snapshot& snapshot,
                                const HostQuestion& question, absl::Time now) const;

  const CurrentCatalogsFn catalogs_;
  const UsedTwiceFn used_twice_;
  const AgentRegistry& registry_;
  const Feed& feed_;
  const Clock& clock_;
  SortedHosts sorted_hosts_;

  CallThread calls_;  // Last: what it does uses all of the above.
};

}  // namespace autopxe::server
