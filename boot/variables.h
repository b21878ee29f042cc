#pragma once

#include <map>
#include <string>

#include "boot/decision.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"

namespace autopxe {

// The variables that are set for the hosts of an agent, by name: the global ones, and over them
// those of the agent. Without those whose name a template could never reach, since a built-in or
// iPXE's own setting would be taken instead.
std::map<std::string, Decision::Variable> MergeVariables(const Snapshot& snapshot,
                                                         const AgentId& agent);

}  // namespace autopxe
