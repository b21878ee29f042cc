#include "server/services/agent_condition.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/model/age_text.h"

namespace autopxe::server {
namespace {

// An agent that has not even the configuration of revision 0.
bool ServesNothing(const AgentRegistry::Entry& agent) {
  return !agent.status.has_value() ||
         (agent.status->applied == RevisionId() && !agent.status->view_age.has_value());
}

v1::AgentState StateOf(const AgentRegistry::Entry& agent, int64_t lag) {
  if (ServesNothing(agent)) return v1::AGENT_STATE_EMPTY;
  if (lag < 0) return v1::AGENT_STATE_FOREIGN;
  if (agent.watches == 0) return v1::AGENT_STATE_AWAY;
  return lag > 0 ? v1::AGENT_STATE_BEHIND : v1::AGENT_STATE_CURRENT;
}

std::string ForeignReason(const RevisionId& served, int64_t current) {
  if (current == 0) {
    return absl::StrCat("it keeps revision ", served.Format(),
                        ", since this server's database is empty: restore a backup, or configure "
                        "the server anew and it follows");
  }
  return absl::StrCat("it serves revision ", served.Format(),
                      ", which is not of this server's database: that was restored from a backup "
                      "or begun anew");
}

}  // namespace

AgentCondition BuildAgentCondition(const AgentRegistry::Entry& agent, int64_t lag, int64_t current,
                                   absl::Time now) {
  AgentCondition condition;
  condition.state = StateOf(agent, lag);
  const bool is_away = agent.watches == 0;
  const bool is_empty = condition.state == v1::AGENT_STATE_EMPTY;
  const bool is_foreign = condition.state == v1::AGENT_STATE_FOREIGN;

  if (is_empty) condition.reasons.push_back("it has no configuration yet");
  if (is_foreign) condition.reasons.push_back(ForeignReason(agent.status->applied, current));
  if (is_away) {
    condition.reasons.push_back(absl::StrCat("not connected, last heard of ",
                                             FormatAge(now - agent.last_seen), " ago",
                                             is_empty ? "" : "; hosts boot what it knew then"));
  }
  if (!is_empty && lag > 0) {
    condition.reasons.push_back(
        absl::StrCat(lag, lag == 1 ? " revision" : " revisions", " behind"));
  }
  if (agent.watches > 1) {
    condition.reasons.push_back(
        absl::StrCat(agent.watches,
                     " agents run under this id, and what is shown is of whichever reported "
                     "last: give each an id of its own"));
  }
  if (agent.status.has_value()) {
    condition.reasons.insert(condition.reasons.end(), agent.status->problems.begin(),
                             agent.status->problems.end());
  }

  if (condition.state == v1::AGENT_STATE_CURRENT) {
    condition.view_time = now;
  } else if (!is_empty && !is_foreign && agent.status->view_age.has_value()) {
    condition.view_time = std::min(agent.reported_at - *agent.status->view_age, now);
  }
  return condition;
}

}  // namespace autopxe::server
