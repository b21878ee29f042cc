#include "server/services/explained_agent.h"

#include <utility>

#include "boot/boot.h"
#include "server/services/decision_encoding.h"

namespace autopxe::server {

ExplainedAgent BuildExplainedAgent(AgentRegistry::Entry entry,
                                   std::shared_ptr<const Catalog> catalog, int64_t lag,
                                   int64_t current, absl::Time now) {
  AgentContext context = BuildAgentContext(entry);
  AgentCondition condition = BuildAgentCondition(entry, lag, current, now);
  return {.entry = std::move(entry),
          .context = std::move(context),
          .catalog = std::move(catalog),
          .lag = lag,
          .condition = std::move(condition)};
}

AgentContext BuildAgentContext(const AgentRegistry::Entry& agent) {
  AgentContext context{
      .id = agent.id, .rootfs_folder = "", .advertise = {}, .http_port = 0, .tftp_port = 0};
  if (!agent.status.has_value()) return context;
  const AgentStatus& status = *agent.status;
  context.rootfs_folder = status.rootfs_folder;
  context.advertise = status.advertise;
  context.http_port = status.http_port;
  context.tftp_port = status.tftp_port;
  // An agent of an earlier version says its ports with its addresses only.
  if (context.http_port == 0 && status.http_address) context.http_port = status.http_address->port;
  if (context.tftp_port == 0 && status.tftp_address) context.tftp_port = status.tftp_address->port;
  return context;
}

const Catalog& CatalogOrNothing(const Catalog* catalog) {
  static const auto* const nothing = new Catalog();
  return catalog == nullptr ? *nothing : *catalog;
}

const IpAddress& StandInAddress() {
  static const auto* const address = new IpAddress(IpAddress::FromV4({192, 0, 2, 1}));
  return *address;
}

absl::optional<IpAddress> FindAskedAddress(const AgentRegistry::Entry& agent,
                                           const HostQuestion& question) {
  if (!agent.status.has_value()) return question.asked_at;
  if (agent.status->advertise.has_value()) return agent.status->advertise;
  if (question.asked_at.has_value()) return question.asked_at;
  const absl::optional<IpEndpoint>& endpoint =
      question.by_http ? agent.status->http_address : agent.status->tftp_address;
  if (endpoint.has_value()) return endpoint->address;
  return absl::nullopt;
}

HostFacts BuildHostFacts(const HostQuestion& question, const IpAddress& asked_at) {
  return {.mac = question.mac,
          .transport = question.by_http ? Transport::kHttp : Transport::kTftp,
          .stage = Stage::kStart,
          .asked_at = asked_at,
          .platform = Platform::kUnknown,
          .build_arch = ""};
}

v1::Decision BuildDecision(const Snapshot& snapshot, const AgentRegistry::Entry& agent,
                           const Catalog* catalog, const HostQuestion& question, absl::Time now) {
  const IpAddress address = FindAskedAddress(agent, question).value_or(StandInAddress());
  const Decision decision = Decide(snapshot, CatalogOrNothing(catalog), BuildAgentContext(agent),
                                   BuildHostFacts(question, address), now);
  v1::Decision encoded = EncodeDecision(decision, question.mac, agent.id);
  if (catalog == nullptr && decision.outcome == Outcome::kMissing) {
    encoded.clear_outcome();
    encoded.clear_missing();
  }
  return encoded;
}

}  // namespace autopxe::server
