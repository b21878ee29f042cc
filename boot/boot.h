#pragma once

#include <string>

#include "absl/time/time.h"
#include "boot/agent_context.h"
#include "boot/decision.h"
#include "boot/host_facts.h"
#include "common/model/catalog.h"
#include "common/model/ip_endpoint.h"
#include "common/model/snapshot.h"

namespace autopxe {

// One answer to one host.
struct BootAnswer {
  Decision decision;
  std::string script;  // An iPXE script; empty for kIgnore.
};

// The one entry of this folder: what a host boots, and the bytes that make it do so. Pure. `now` is
// what ends assignments that end at a time.
BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now);

// Only the decision, for lists and explanations.
Decision Decide(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now);

// The script behind /boot.ipxe, autoexec.ipxe and a loader that iPXE itself asks for: asks iPXE who
// the host is and chains to its menu.
std::string RenderStartScript(const AgentContext& agent, Transport transport,
                              const IpAddress& asked_at);

// The script of an agent that has no configuration yet: says so, with the host's MAC, and asks
// again.
std::string RenderUnconfiguredScript(const AgentContext& agent, const HostFacts& facts);

}  // namespace autopxe
