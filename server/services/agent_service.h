#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.grpc.pb.h"
#include "common/model/agent_status.h"
#include "common/model/catalog.h"
#include "common/model/name.h"
#include "common/runtime/clock.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/feed/feed.h"
#include "server/plan/counted_move.h"
#include "server/services/agent_registry.h"
#include "server/services/call_thread.h"
#include "server/services/catalog_service.h"
#include "server/services/page.h"
#include "server/services/watch_hub.h"
#include "server/store/next_boot_use.h"
#include "server/store/write_request.h"

namespace autopxe::server {

// How what agents report is written down, later and without waiting.
struct ReportSink {
  std::function<void(const AgentId&, const AgentStatus&, absl::Time last_seen)> save_status;
  // Its watch has ended: what it reported last is from then on how it was last seen.
  std::function<void(const AgentId&)> save_last_seen;
  // With what moved by it.
  std::function<void(const AgentId&, std::shared_ptr<const Catalog>, std::vector<CountedMove>)>
      save_catalog;
  // What hosts used up. Each that other agents had reported before comes back, with theirs, the
  // oldest first.
  std::function<std::vector<std::vector<NextBootUse>>(std::vector<NextBootUse>)> save_uses;
  // Takes used next-boot assignments out of the configuration.
  ApplyFn apply;
  // Forgets both; `done` is told once that is on disk, or why it is not.
  std::function<void(const AgentId&, std::function<void(absl::Status)> done)> forget;
};

// WatchConfiguration is raw: its messages are encoded once for all agents.
using AgentServiceBase = v1::AgentService::WithCallbackMethod_ListAgents<
    v1::AgentService::WithCallbackMethod_DeleteAgent<
        v1::AgentService::WithRawCallbackMethod_WatchConfiguration<
            v1::AgentService::WithCallbackMethod_ReportStatus<
                v1::AgentService::WithCallbackMethod_ReportUsedNextBoots<
                    v1::AgentService::WithCallbackMethod_ReportCatalog<
                        v1::AgentService::Service>>>>>>;

// See autopxe/v1/agent.proto.
class AgentService final : public AgentServiceBase {
 public:
  // The references outlive this object.
  AgentService(ReportSink sink, CurrentCatalogsFn catalogs, AgentRegistry& registry,
               WatchHub& watches, const Feed& feed, const Clock& clock);

  grpc::ServerUnaryReactor* ListAgents(grpc::CallbackServerContext* context,
                                       const v1::ListAgentsRequest* request,
                                       v1::ListAgentsResponse* response) override;
  grpc::ServerUnaryReactor* DeleteAgent(grpc::CallbackServerContext* context,
                                        const v1::DeleteAgentRequest* request,
                                        v1::DeleteAgentResponse* response) override;
  grpc::ServerWriteReactor<grpc::ByteBuffer>* WatchConfiguration(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;
  grpc::ServerUnaryReactor* ReportStatus(grpc::CallbackServerContext* context,
                                         const v1::ReportStatusRequest* request,
                                         v1::ReportStatusResponse* response) override;
  grpc::ServerUnaryReactor* ReportUsedNextBoots(grpc::CallbackServerContext* context,
                                                const v1::ReportUsedNextBootsRequest* request,
                                                v1::ReportUsedNextBootsResponse* response) override;
  grpc::ServerUnaryReactor* ReportCatalog(grpc::CallbackServerContext* context,
                                          const v1::ReportCatalogRequest* request,
                                          v1::ReportCatalogResponse* response) override;

 private:
  void FillList(const Page& page, v1::ListAgentsResponse& response) const;
  // All but what its catalog tells.
  void FillAgent(const AgentRegistry::Entry& entry, const RevisionId& current, absl::Time now,
                 v1::Agent& agent) const;
  // With what their distros are; tells the log of those that were used twice.
  void TakeUses(std::vector<NextBootUse> uses);
  // With what moved by it. One at a time, in the order in which they came.
  void TakeCatalog(const AgentId& agent, const absl::optional<AgentInstance>& instance,
                   Catalog catalog);

  const ReportSink sink_;
  const CurrentCatalogsFn catalogs_;
  AgentRegistry& registry_;
  WatchHub& watches_;
  const Feed& feed_;
  const Clock& clock_;

  // Held while a report or a deletion goes to the registry and to the sink: together they are one
  // step, so that neither keeps what the other has forgotten.
  absl::Mutex reports_mutex_;

  CallThread calls_;  // Last: what it does uses all of the above.
};

}  // namespace autopxe::server
