#pragma once

#include <string>

#include "autopxe/v1/agent.pb.h"

namespace autopxe::ctl {

// "current", "behind"; empty for a state of a later server.
std::string AgentStateText(v1::AgentState state);

}  // namespace autopxe::ctl
