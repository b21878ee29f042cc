#pragma once

#include <string>

#include "absl/time/time.h"
#include "autopxe/v1/decision.pb.h"
#include "common/model/snapshot.h"
#include "server/services/explained_agent.h"

namespace autopxe::server {

// Whether a host will boot what is meant for it, and what to do if not.
struct Finding {
  v1::Verdict verdict = v1::VERDICT_GOOD;
  std::string advice = {};  // For people; empty if all is well.
};

// The graver one of both, with what to do about each, the graver first.
Finding Join(const Finding& one, const Finding& other);

// Of a decision (BuildDecision) by this configuration at this agent: what is assigned and what the
// agent offers, and whether the agent can be trusted to do so: what it has, whether it is there and
// what it says of itself.
Finding JudgeBoot(const Snapshot& snapshot, const v1::Decision& decision,
                  const ExplainedAgent& agent, absl::Time now);

}  // namespace autopxe::server
