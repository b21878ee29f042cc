#include "boot/boot.h"

#include "boot/ipxe_host_script.h"
#include "boot/ipxe_menu.h"
#include "boot/menu.h"
#include "boot/resolution.h"
#include "boot/start_script.h"

namespace autopxe {

namespace {

std::string RenderScript(const Decision& decision, const Snapshot& snapshot,
                         const AgentContext& agent, const HostFacts& facts,
                         absl::FunctionRef<std::shared_ptr<const SharedMenu>()> shared_menu) {
  const absl::Duration timeout = snapshot.settings().menu_timeout;
  if (!HoldsMenu(decision.outcome)) {
    return RenderHostScript(decision, agent, facts, timeout, SharedMenu());
  }
  return RenderHostScript(decision, agent, facts, timeout, *shared_menu());
}

}  // namespace

BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now) {
  BootAnswer answer{.decision = Decide(snapshot, catalog, agent, facts, now), .script = ""};
  answer.script = RenderScript(answer.decision, snapshot, agent, facts, [&] {
    return std::make_shared<const SharedMenu>(RenderSharedMenu(snapshot, catalog, agent));
  });
  return answer;
}

SharedMenu RenderSharedMenu(const Snapshot& snapshot, const Catalog& catalog,
                            const AgentContext& agent) {
  return RenderSharedMenu(BuildMenu(snapshot, catalog, agent));
}

BootAnswer Boot(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                const HostFacts& facts, absl::Time now,
                absl::FunctionRef<std::shared_ptr<const SharedMenu>()> shared_menu) {
  BootAnswer answer{
      .decision = Resolve(snapshot, catalog, agent, facts, now, BuiltInVariablesOf::kCommandLine),
      .script = ""};
  answer.script = RenderScript(answer.decision, snapshot, agent, facts, shared_menu);
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
