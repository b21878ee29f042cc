#include "server/services/decision_service.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boot/boot.h"
#include "boot/resolution.h"
#include "common/model/quote.h"
#include "common/status/grpc_status.h"
#include "common/wire/revision_wire.h"
#include "server/services/agent_condition.h"
#include "server/services/call.h"
#include "server/services/decision_encoding.h"
#include "server/services/explanation.h"
#include "server/services/host_page.h"
#include "server/services/page.h"
#include "server/services/read_error.h"
#include "server/services/unknown_name.h"

namespace autopxe::server {
namespace {

constexpr char kList[] = "decisions";

// More agents would hide the message.
constexpr size_t kMaxAgentsNamed = 10;

const AgentStatus* StatusOf(const AgentRegistry::Entry& agent) {
  return agent.status.has_value() ? &*agent.status : nullptr;
}

}  // namespace

DecisionService::DecisionService(CurrentCatalogsFn catalogs, const AgentRegistry& registry,
                                 const Feed& feed, const Clock& clock)
    : catalogs_(std::move(catalogs)), registry_(registry), feed_(feed), clock_(clock) {}

grpc::ServerUnaryReactor* DecisionService::Explain(grpc::CallbackServerContext* context,
                                                   const v1::ExplainRequest* request,
                                                   v1::ExplainResponse* response) {
  const Call call("Explain", context, clock_);
  // gRPC keeps both until the reactor has finished.
  calls_.Queue(
      [this, call, request, response] { call.Finish(FillExplanation(*request, *response)); });
  return call.reactor();
}

grpc::ServerUnaryReactor* DecisionService::ListDecisions(grpc::CallbackServerContext* context,
                                                         const v1::ListDecisionsRequest* request,
                                                         v1::ListDecisionsResponse* response) {
  const Call call("ListDecisions", context, clock_);
  calls_.Queue([this, call, request, response] { call.Finish(FillList(*request, *response)); });
  return call.reactor();
}

absl::StatusOr<AgentRegistry::Entry> DecisionService::FindAgent(const std::string& id) const {
  if (!id.empty()) {
    const absl::StatusOr<AgentId> agent = AgentId::Parse(id);
    if (!agent.ok()) {
      return absl::InvalidArgumentError(absl::StrCat("agent_id: ", agent.status().message()));
    }
    absl::optional<AgentRegistry::Entry> entry = registry_.Find(*agent);
    if (entry.has_value()) return *std::move(entry);
    return absl::NotFoundError(absl::StrCat("agent ", Quote(id),
                                            ": no such agent has reported; see autopxectl agent "
                                            "list"));
  }
  std::vector<AgentRegistry::Entry> entries = registry_.List("", kMaxAgentsNamed + 1);
  if (entries.size() == 1) return std::move(entries.front());
  if (entries.empty()) {
    return absl::FailedPreconditionError(
        "no agent has reported yet, so nothing is known of what "
        "hosts would get; start one");
  }
  const bool more = entries.size() > kMaxAgentsNamed;
  if (more) entries.pop_back();
  return absl::FailedPreconditionError(
      absl::StrCat("several agents have reported (",
                   absl::StrJoin(entries, ", ",
                                 [](std::string* out, const AgentRegistry::Entry& entry) {
                                   absl::StrAppend(out, entry.id.text());
                                 }),
                   more ? ", ..." : "", "); name the one that serves the host"));
}

std::shared_ptr<const Catalog> DecisionService::CatalogOf(const AgentId& agent) const {
  const std::shared_ptr<const Catalogs> catalogs = catalogs_();
  const auto found = catalogs->find(agent);
  return found != catalogs->end() ? found->second : std::make_shared<const Catalog>();
}

grpc::Status DecisionService::FillExplanation(const v1::ExplainRequest& request,
                                              v1::ExplainResponse& response) {
  const absl::StatusOr<HostReference> reference = ParseHostReference(request.host());
  if (!reference.ok()) return Malformed("host", request.host(), reference.status());
  const absl::StatusOr<AgentRegistry::Entry> agent = FindAgent(request.agent_id());
  if (!agent.ok()) return ToGrpcStatus(agent.status());
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  absl::optional<MacAddress> mac;
  if (const auto* given = std::get_if<MacAddress>(&*reference)) {
    mac = *given;
  } else if (const auto host = snapshot->FindHost(*reference); host != nullptr) {
    mac = host->macs.front();
  } else {
    return UnknownHost(*snapshot, *reference);
  }
  const absl::Time now = clock_.Now();
  const AgentStatus* const status = StatusOf(*agent);
  const AgentContext context = BuildAgentContext(agent->id, status);
  const RevisionId applied = status != nullptr ? status->applied : RevisionId();
  const RevisionId current = snapshot->revision().id;
  response =
      BuildExplanation(*snapshot, *CatalogOf(agent->id), context,
                       BuildHostFacts(*mac, context, status, request.by_http()),
                       BuildAgentCondition(*agent, feed_.Lag(applied), current.number, now), now);
  *response.mutable_agent_revision() = ToProto(applied);
  *response.mutable_revision() = ToProto(current);
  return grpc::Status::OK;
}

grpc::Status DecisionService::FillList(const v1::ListDecisionsRequest& request,
                                       v1::ListDecisionsResponse& response) {
  const absl::StatusOr<Page> page = ParsePage(kList, request.page_size(), request.page_token());
  if (!page.ok()) return ToGrpcStatus(page.status());
  const absl::StatusOr<absl::optional<Selector>> selector = ParseSelector(request.selector());
  if (!selector.ok()) return Malformed("selector", request.selector(), selector.status());
  absl::optional<AgentRegistry::Entry> agent;
  if (!request.agent_id().empty()) {
    absl::StatusOr<AgentRegistry::Entry> found = FindAgent(request.agent_id());
    if (!found.ok()) return ToGrpcStatus(found.status());
    agent = *std::move(found);
  }
  const absl::StatusOr<std::vector<HostReference>> named = ParseHostsNamed(request.hosts());
  if (!named.ok()) return Malformed("hosts", "", named.status());
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  const absl::Time now = clock_.Now();
  // For the host that has `mac`, null for one that nobody has named.
  std::function<v1::Decision(const MacAddress&, const Host*)> decide = [&](const MacAddress& mac,
                                                                           const Host* host) {
    return EncodeChosen(ChooseDistro(*snapshot, nullptr, host, now), mac, host);
  };
  if (agent.has_value()) {
    const AgentStatus* const status = StatusOf(*agent);
    decide = [&, status, catalog = CatalogOf(agent->id),
              context = BuildAgentContext(agent->id, status)](const MacAddress& mac, const Host*) {
      return EncodeDecision(
          Decide(*snapshot, *catalog, context, BuildHostFacts(mac, context, status, false), now),
          mac, context.id);
    };
  }
  const auto add = [&](const MacAddress& mac, const Host* host) {
    v1::Decision& added = *response.add_decisions();
    added = decide(mac, host);
    return added.ByteSizeLong();
  };
  std::string next;
  if (named->empty()) {
    next = VisitPage(*sorted_hosts_.Of(snapshot), *page, *selector,
                     [&](const Host& host) { return add(host.macs.front(), &host); });
  } else {
    absl::StatusOr<std::string> next_named =
        VisitNamedPage(*snapshot, *named, *page, *selector,
                       [&](const HostReference& reference, const Host* host) -> size_t {
                         const auto* const mac = std::get_if<MacAddress>(&reference);
                         if (mac != nullptr) return add(*mac, host);
                         return host == nullptr ? 0 : add(host->macs.front(), host);
                       });
    if (!next_named.ok()) return ToGrpcStatus(next_named.status());
    next = *std::move(next_named);
  }
  if (!next.empty()) response.set_next_page_token(FormatPageToken(kList, next));
  return grpc::Status::OK;
}

}  // namespace autopxe::server
