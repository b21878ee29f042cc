#pragma once

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "autopxe/v1/decision.pb.h"
#include "boot/agent_context.h"
#include "boot/host_facts.h"
#include "common/model/catalog.h"
#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"
#include "common/model/snapshot.h"
#include "server/services/agent_condition.h"
#include "server/services/agent_registry.h"

namespace autopxe::server {

// An agent as far as what hosts boot there depends on it: what it reported, and how it stands.
struct ExplainedAgent {
  AgentRegistry::Entry entry;
  AgentContext context;
  std::shared_ptr<const Catalog> catalog;  // Null: it has not told yet what it offers.
  int64_t lag = 0;                         // Of what it serves, see Feed::Lag.
  AgentCondition condition;
};

// `current`: the number of this server's revision.
ExplainedAgent BuildExplainedAgent(AgentRegistry::Entry entry,
                                   std::shared_ptr<const Catalog> catalog, int64_t lag,
                                   int64_t current, absl::Time now);

// What an agent is, as it reported it; nothing but its id if it has reported no status.
AgentContext BuildAgentContext(const AgentRegistry::Entry& agent);

// What is looked at where an agent may not have told yet what it offers: nothing, if `catalog` is
// null.
const Catalog& CatalogOrNothing(const Catalog* catalog);

// Which host asks an agent, and how.
struct HostQuestion {
  MacAddress mac;
  bool by_http = false;
  absl::optional<IpAddress> asked_at = {};  // At which address of the agent; unset: not said.
};

// Stands for an address that is not known (RFC 5737).
const IpAddress& StandInAddress();

// At which address of the agent the host asks, or the one that scripts name instead; unset where
// neither the question nor the agent says it.
absl::optional<IpAddress> FindAskedAddress(const AgentRegistry::Entry& agent,
                                           const HostQuestion& question);

// The question as an agent gets it.
HostFacts BuildHostFacts(const HostQuestion& question, const IpAddress& asked_at);

// What the host would boot there. Where `catalog` is null and it would have to be asked, there is
// no outcome.
v1::Decision BuildDecision(const Snapshot& snapshot, const AgentRegistry::Entry& agent,
                           const Catalog* catalog, const HostQuestion& question, absl::Time now);

}  // namespace autopxe::server
