#pragma once

#include "boot/agent_context.h"
#include "boot/decision.h"
#include "boot/host_facts.h"
#include "common/model/catalog.h"
#include "common/model/snapshot.h"

namespace autopxe {

// Decides what a host boots: its own assignment, or else the default, which is the agent's or else
// the global one; for a host that the snapshot does not hold the setting unknown-hosts, or else the
// default; and whether the catalog, the
// profiles and the variables have what that takes. If not, the outcome is kMissing, with words that
// say what isn't there and what is there instead.
Decision Resolve(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                 const HostFacts& facts);

}  // namespace autopxe
