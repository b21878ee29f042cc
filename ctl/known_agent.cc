#include "ctl/known_agent.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::ctl {

absl::Status CheckAgentKnown(Client& client, const std::string& agent) {
  ASSIGN_OR_RETURN(const v1::ListAgentsResponse agents, client.ListAgents());
  if (absl::c_any_of(agents.agents(), [&](const v1::Agent& one) { return one.id() == agent; })) {
    return absl::OkStatus();
  }
  return absl::NotFoundError(
      absl::StrCat("agent ", Quote(agent),
                   ": no such agent has reported, and nothing is set for it; see autopxectl agent "
                   "list"));
}

}  // namespace autopxe::ctl
