#include "boot/boot.h"

#include "boot/ipxe_host_script.h"
#include "boot/ipxe_menu.h"
#include "boot/menu.h"
#include "boot/resolution.h"
#include "boot/start_script.h"

namespace autopxe {

BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now) {
  BootAnswer answer{.decision = Decide(snapshot, catalog, agent, facts, now), .script = ""};
  SharedMenu shared_menu;
  if (HoldsMenu(answer.decision.outcome)) {
    shared_menu = RenderSharedMenu(BuildMenu(snapshot, catalog, agent));
  }
  answer.script = RenderHostScript(answer.decision, agent, facts, snapshot.settings().menu_timeout,
                                   shared_menu);
  return answer;
}

Decision Decide(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now) {
  return Resolve(snapshot, catalog, agent, facts, now);
}

std::string RenderStartScript(const AgentContext& agent, Transport transport,
                              const IpAddress& asked_at) {
  return RenderIpxeStartScript(agent, transport, asked_at);
}

std::string RenderUnconfiguredScript(const AgentContext& agent, const HostFacts& facts) {
  return RenderIpxeUnconfiguredScript(agent, facts);
}

}  // namespace autopxe
