#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "boot/decision.h"
#include "common/model/snapshot.h"
#include "server/services/explained_agent.h"

namespace autopxe::server {

// What an agent would send a host, and what of that nobody but the agent can tell.
struct ExplainedScript {
  Decision decision;
  std::string script;               // Empty where the agent does not answer, or nobody can tell.
  std::vector<std::string> doubts;  // See ExplainResponse.script_doubts.
};

// The decision and the script are those of boot/'s one entry, for what the agent has reported.
// Pure.
ExplainedScript BuildExplainedScript(const Snapshot& snapshot, const ExplainedAgent& agent,
                                     const HostQuestion& question, absl::Time now);

}  // namespace autopxe::server
