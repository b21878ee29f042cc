#pragma once

#include <string>

#include "absl/time/time.h"
#include "boot/agent_context.h"
#include "boot/decision.h"
#include "boot/host_facts.h"
#include "common/model/catalog.h"
#include "common/model/host.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"

namespace autopxe {

// Which built-in variables a decision has: all that its template could use, for people who look at
// it, or those that it does use.
enum class BuiltInVariablesOf { kAll, kCommandLine };

// Decides what a host boots: its assignment for the next boot, or else the one that ends after
// `now`, or else the standing one, or else the distro of the first group (IsBefore) that matches
// its labels and has one, or else the default, which is the agent's or else the global one. For a
// host that the snapshot does not hold: the setting unknown-hosts, or else the default. And whether
// the catalog, the profiles, the declared distros and the variables have what that takes. If not,
// the outcome is kMissing, with words that say what isn't there and what is there instead.
Decision Resolve(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                 const HostFacts& facts, absl::Time now,
                 BuiltInVariablesOf built_in = BuiltInVariablesOf::kAll);

// What Resolve decides by the configuration alone: which distro, and why.
struct ChosenDistro {
  Distro distro = Distro::Menu();
  DistroOrigin origin = DistroOrigin::kNothing;
  std::string group;  // See Decision.
};
// `host` is null for one that nobody has named. An agent's default counts if `agent` is not null.
ChosenDistro ChooseDistro(const Snapshot& snapshot, const AgentId* agent, const Host* host,
                          absl::Time now);

}  // namespace autopxe
