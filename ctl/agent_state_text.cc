#include "ctl/agent_state_text.h"

namespace autopxe::ctl {

std::string AgentStateText(v1::AgentState state) {
  switch (state) {
    case v1::AGENT_STATE_CURRENT:
      return "current";
    case v1::AGENT_STATE_BEHIND:
      return "behind";
    case v1::AGENT_STATE_AWAY:
      return "away";
    case v1::AGENT_STATE_FOREIGN:
      return "foreign";
    case v1::AGENT_STATE_EMPTY:
      return "empty";
    default:
      return "";  // Of a later server.
  }
}

}  // namespace autopxe::ctl
