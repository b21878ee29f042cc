#include "boot/boot.h"

#include "boot/ipxe_host_script.h"
#include "boot/ipxe_menu.h"
#include "boot/menu.h"
#include "boot/resolution.h"
#include "boot/start_script.h"

namespace autopxe {

BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now) {
  return Boot(snapshot, catalog, agent, facts, now, [&] {
    return std::make_shared<const SharedMenu>(RenderSharedMenu(snapshot, catalog, agent));
  });
}

SharedMenu RenderSharedMenu(const Snapshot& snapshot, const Catalog& catalog,
                            const AgentContext& agent) {
  return RenderSharedMenu(BuildMenu(snapshot, catalog, agent));
}

BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now,
                absl::FunctionRef<std::shared_ptr<const SharedMenu>()> shared_menu) {
  BootAnswer answer{.decision = Decide(snapshot, catalog, agent, facts, now), .script = ""};
  const absl::Duration timeout = snapshot.settings().menu_timeout;
  if (HoldsMenu(answer.decision.outcome)) {
    answer.script = RenderHostScript(answer.decision, agent, facts, timeout, *shared_menu());
  } else {
    answer.script = RenderHostScript(answer.decision, agent, facts, timeout, SharedMenu());
  }
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
