#pragma once

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "boot/agent_context.h"
#include "boot/decision.h"
#include "boot/host_facts.h"
#include "boot/ipxe_menu.h"
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

// The part of their scripts that all hosts of an agent have alike, and the greater one. It depends
// on the snapshot's Snapshot::Common alone.
SharedMenu RenderSharedMenu(const Snapshot& snapshot, const Catalog& catalog,
                            const AgentContext& agent);

// The same answer as that of the other Boot, but for built-in variables that the command line does
// not use, for who has rendered the shared menu before and wants the script.
// `shared_menu` is called where the script holds one. REQUIRES: it returns the menu of the
// same Snapshot::Common, catalog and agent; not null.
BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now,
                absl::FunctionRef<std::shared_ptr<const SharedMenu>()> shared_menu);

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
