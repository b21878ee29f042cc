#include "server/services/decision_service.h"

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "boot/resolution.h"
#include "common/model/ip_endpoint.h"
#include "common/model/quote.h"
#include "common/status/grpc_status.h"
#include "server/services/agent_choice.h"
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

// What that agent last told that it offers; null if it has not told it.
std::shared_ptr<const Catalog> CatalogOf(const Catalogs& catalogs, const AgentId& agent) {
  const auto found = catalogs.find(agent);
  return found != catalogs.end() ? found->second : nullptr;
}

// Gives `question` a value, or says why it can't.
grpc::Status ParseQuestion(const v1::ExplainRequest& request, const Snapshot& snapshot,
                           absl::optional<HostQuestion>& question) {
  const absl::StatusOr<HostReference> reference = ParseHostReference(request.host());
  if (!reference.ok()) return Malformed("host", request.host(), reference.status());
  absl::optional<IpAddress> asked_at;
  if (!request.asked_at().empty()) {
    const absl::StatusOr<IpAddress> address = IpAddress::Parse(request.asked_at());
    if (!address.ok()) return Malformed("asked_at", request.asked_at(), address.status());
    if (address->is_unspecified()) {
      return Malformed("asked_at", request.asked_at(),
                       absl::InvalidArgumentError(absl::StrCat(
                           "asked_at ", Quote(request.asked_at()),
                           ": expected the one address of the agent at which the host asks")));
    }
    asked_at = *address;
  }
  if (const auto* mac = std::get_if<MacAddress>(&*reference)) {
    question = {.mac = *mac, .by_http = request.by_http(), .asked_at = asked_at};
  } else if (const auto host = snapshot.FindHost(*reference); host != nullptr) {
    question = {.mac = host->macs.front(), .by_http = request.by_http(), .asked_at = asked_at};
  } else {
    return UnknownHost(snapshot, *reference);
  }
  return grpc::Status::OK;
}

}  // namespace

DecisionService::DecisionService(CurrentCatalogsFn catalogs, UsedTwiceFn used_twice,
                                 const AgentRegistry& registry, const Feed& feed,
                                 const Clock& clock)
    : catalogs_(std::move(catalogs)),
      used_twice_(std::move(used_twice)),
      registry_(registry),
      feed_(feed),
      clock_(clock) {}

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

v1::ExplainResponse DecisionService::ExplainAt(const AgentRegistry::Entry& agent,
                                               std::shared_ptr<const Catalog> catalog,
                                               const Snapshot& snapshot,
                                               const HostQuestion& question, absl::Time now) const {
  const std::shared_ptr<const Host> host = snapshot.FindHost(question.mac);
  const RevisionId applied = agent.status.has_value() ? agent.status->applied : RevisionId();
  return BuildExplanation(
      snapshot,
      BuildExplainedAgent(agent, std::move(catalog), feed_.Lag(applied),
                          snapshot.revision().id.number, now),
      question, host == nullptr ? std::vector<NextBootUse>() : used_twice_(host->id), now);
}

grpc::Status DecisionService::FillExplanation(const v1::ExplainRequest& request,
                                              v1::ExplainResponse& response) {
  const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
  absl::optional<HostQuestion> question;
  const grpc::Status parsed = ParseQuestion(request, *snapshot, question);
  if (!parsed.ok()) return parsed;
  const absl::Time now = clock_.Now();
  if (!request.agent_id().empty()) {
    const absl::StatusOr<AgentRegistry::Entry> agent = FindAgent(request.agent_id());
    if (!agent.ok()) return ToGrpcStatus(agent.status());
    response = ExplainAt(*agent, CatalogOf(*catalogs_(), agent->id), *snapshot, *question, now);
    return grpc::Status::OK;
  }
  const std::vector<AgentRegistry::Entry> agents =
      registry_.List("", std::numeric_limits<size_t>::max());
  if (agents.empty()) {
    return ToGrpcStatus(absl::FailedPreconditionError(
        "no agent has reported yet, so nothing is known of what hosts would get; start one"));
  }
  const std::shared_ptr<const Catalogs> catalogs = catalogs_();
  std::vector<AgentDecision> decisions;
  for (const AgentRegistry::Entry& agent : agents) {
    decisions.push_back(
        {.connected = agent.watches > 0,
         .decision = BuildDecision(*snapshot, agent, CatalogOf(*catalogs, agent.id).get(),
                                   *question, now)});
  }
  const size_t chosen = ChooseAgent(decisions);
  // By the catalog that it was chosen by: it may have told of another one since.
  response =
      ExplainAt(agents[chosen], CatalogOf(*catalogs, agents[chosen].id), *snapshot, *question, now);
  AddChoice(decisions, chosen, response);
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
    decide = [&, catalog = CatalogOf(*catalogs_(), agent->id)](const MacAddress& mac, const Host*) {
      return BuildDecision(*snapshot, *agent, catalog.get(), {.mac = mac}, now);
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
