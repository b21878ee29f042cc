#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "autopxe/v1/decision.pb.h"
#include "boot/agent_context.h"
#include "boot/host_facts.h"
#include "common/model/agent_status.h"
#include "common/model/catalog.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"
#include "server/services/agent_condition.h"

namespace autopxe::server {

// What an agent is, as it reported it. `status` is null if it has reported none.
AgentContext BuildAgentContext(const AgentId& id, const AgentStatus* status);

// How a host with this MAC asks that agent: at the address that it advertises, or else at which it
// can be reached.
HostFacts BuildHostFacts(const MacAddress& mac, const AgentContext& agent,
                         const AgentStatus* status, bool by_http);

// What one host boots at one agent, why, and what to do if it can't: all of ExplainResponse but
// the revisions. `lag`: see Feed::Lag. Pure; the decision and the script are those of boot/'s one
// entry.
v1::ExplainResponse BuildExplanation(const Snapshot& snapshot, const Catalog& catalog,
                                     const AgentContext& agent, const HostFacts& facts,
                                     const AgentCondition& condition, absl::Time now);

}  // namespace autopxe::server
