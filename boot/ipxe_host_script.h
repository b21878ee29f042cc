#pragma once

#include <string>

#include "absl/time/time.h"
#include "boot/agent_context.h"
#include "boot/decision.h"
#include "boot/host_facts.h"
#include "boot/ipxe_menu.h"

namespace autopxe {

// Whether a script for this outcome holds the shared menu (RenderSharedMenu); others stay small,
// since hosts poll them.
bool HoldsMenu(Outcome outcome);

// The script that carries out a decision: the host's own part, and the shared menu behind it if the
// outcome wants one. Empty for kIgnore. `shared_menu` is not looked at otherwise.
std::string RenderHostScript(const Decision& decision, const AgentContext& agent,
                             const HostFacts& facts, absl::Duration menu_timeout,
                             const SharedMenu& shared_menu);

// The script of an agent that has no configuration yet.
std::string RenderIpxeUnconfiguredScript(const AgentContext& agent, const HostFacts& facts);

}  // namespace autopxe
