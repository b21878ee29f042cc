#pragma once

#include <vector>

#include "absl/time/time.h"
#include "autopxe/v1/decision.pb.h"
#include "common/model/snapshot.h"
#include "server/services/explained_agent.h"
#include "server/store/next_boot_use.h"

namespace autopxe::server {

// What one host boots at one agent, why, and what to do if it can't: all of ExplainResponse but why
// it is that agent. `used_twice`: NextBootUses::UsedTwice of the host. Pure; the decision and the
// script are those of boot/'s one entry.
v1::ExplainResponse BuildExplanation(const Snapshot& snapshot, const ExplainedAgent& agent,
                                     const HostQuestion& question,
                                     const std::vector<NextBootUse>& used_twice, absl::Time now);

}  // namespace autopxe::server
