#include "server/services/agent_choice.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "server/services/verdict.h"

namespace autopxe::server {
namespace {

// More would hide the rest of the explanation.
constexpr int kMaxElsewhere = 100;

bool CanBoot(const AgentDecision& agent) {
  return agent.decision.outcome() != v1::OUTCOME_MISSING &&
         agent.decision.outcome() != v1::OUTCOME_UNSPECIFIED;
}

// Lower is better.
int RankOf(const AgentDecision& agent) {
  return (agent.connected ? 0 : 2) + (CanBoot(agent) ? 0 : 1);
}

// Of a rank.
const char* WordsOf(int rank) {
  switch (rank) {
    case 0:
      return "that is connected and has what the host is to boot";
    case 1:
      return "that is connected; none of those has what the host is to boot";
    case 2:
      return "that has what the host is to boot; none is connected";
    default:
      return "; none is connected, and none has what the host is to boot";
  }
}

bool IsSameDeed(const v1::Decision& one, const v1::Decision& other) {
  return one.distro() == other.distro() && one.outcome() == other.outcome();
}

bool IsAlike(const v1::Decision& one, const v1::Decision& other) {
  return IsSameDeed(one, other) && one.kernel_version() == other.kernel_version() &&
         one.command_line() == other.command_line();
}

}  // namespace

size_t ChooseAgent(const std::vector<AgentDecision>& agents) {
  const auto best = std::min_element(
      agents.begin(), agents.end(),
      [](const AgentDecision& a, const AgentDecision& b) { return RankOf(a) < RankOf(b); });
  return static_cast<size_t>(best - agents.begin());
}

void AddChoice(const std::vector<AgentDecision>& agents, size_t chosen,
               v1::ExplainResponse& response) {
  if (agents.size() < 2) return;
  const v1::Decision& here = agents[chosen].decision;
  const int rank = RankOf(agents[chosen]);
  response.set_agent_choice(absl::StrCat("agent ", Quote(here.agent_id()), " is the first of ",
                                         agents.size(), rank < 3 ? " " : "", WordsOf(rank),
                                         ". Name another with --agent"));
  bool depends = false;
  for (size_t i = 0; i < agents.size(); ++i) {
    if (i == chosen) continue;
    const v1::Decision& there = agents[i].decision;
    if (IsAlike(here, there)) {
      response.set_agents_alike(response.agents_alike() + 1);
      continue;
    }
    response.set_agents_different(response.agents_different() + 1);
    if (response.elsewhere_size() < kMaxElsewhere) *response.add_elsewhere() = there;
    if (agents[i].connected && !IsSameDeed(here, there)) depends = true;
  }
  if (response.agents_different() == 0) {
    response.mutable_agent_choice()->append(". At the others it would boot the same");
  }
  if (!depends) return;
  const Finding finding =
      Join({response.verdict(), response.advice()},
           {v1::VERDICT_DOUBTFUL,
            "what it boots depends on the agent that answers it: name that one with --agent"});
  response.set_verdict(finding.verdict);
  response.set_advice(finding.advice);
}

}  // namespace autopxe::server
