#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.pb.h"
#include "server/services/agent_registry.h"

namespace autopxe::server {

// How an agent stands to this server's configuration: see autopxe.v1.Agent.
struct AgentCondition {
  v1::AgentState state = v1::AGENT_STATE_EMPTY;
  std::vector<std::string> reasons;      // The gravest first.
  absl::optional<absl::Time> view_time;  // Unset: it never served this server's configuration.
};

// What is known of an agent, put together. `lag`: of what it serves, see Feed::Lag; `current`: the
// number of this server's revision; `now`: this server's clock. Pure.
AgentCondition BuildAgentCondition(const AgentRegistry::Entry& agent, int64_t lag, int64_t current,
                                   absl::Time now);

}  // namespace autopxe::server
