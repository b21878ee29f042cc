#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "autopxe/v1/decision.pb.h"

namespace autopxe::server {

// What a host would boot at one agent.
struct AgentDecision {
  bool connected = false;
  v1::Decision decision;  // BuildDecision.
};

// The agent for which an explanation is made where none was named: the first by its id that is
// connected and has what the host is to boot; failing that, one that is connected; failing that,
// one that has it. `agents` ascend by their ids. REQUIRES: there is one.
size_t ChooseAgent(const std::vector<AgentDecision>& agents);

// Says in the explanation, which is of `agents[chosen]`, why that one was chosen, and what differs
// at the others: where that is the distro or what happens, at one that is connected, the verdict is
// doubtful. Nothing if there is no other.
void AddChoice(const std::vector<AgentDecision>& agents, size_t chosen,
               v1::ExplainResponse& response);

}  // namespace autopxe::server
