#pragma once

#include "absl/types/optional.h"
#include "boot/agent_context.h"
#include "boot/host_facts.h"
#include "boot/ipxe_script.h"

namespace autopxe {

// Where a script finds the agent: what to put in front of a path without its leading '/'; unset
// where the agent does not serve that protocol.
struct AgentUris {
  absl::optional<IpxeWord> http;
  absl::optional<IpxeWord> tftp;
};

// For a script that is asked for by `transport` at `asked_at`. A script that comes by HTTP names
// HTTP by path-absolute URIs, so that it works behind NAT and in containers. All else needs an
// address: the one that the agent advertises, or else `asked_at`; where neither is known, only the
// way by which the script came is left.
AgentUris BuildAgentUris(const AgentContext& agent, Transport transport, const IpAddress& asked_at);

}  // namespace autopxe
