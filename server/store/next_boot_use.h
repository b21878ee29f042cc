#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/model/host.h"
#include "common/model/name.h"

namespace autopxe::server {

// A next-boot assignment that a host used up at an agent.
struct NextBootUse {
  AgentId agent;
  HostId host;
  int64_t token = 0;   // NextBoot::token.
  absl::Time time;     // By the agent's clock.
  std::string distro;  // What it was; empty if that was no longer known.
  int64_t id = 0;      // Higher than that of every use before; for class NextBootUses to give.

  friend bool operator==(const NextBootUse&, const NextBootUse&) = default;
};

// How many are kept: the newest.
inline constexpr size_t kMaxNextBootUses = 10'000;

// The uses that agents reported last, to notice that a host used one assignment at two agents that
// were both cut off.
class NextBootUses {
 public:
  NextBootUses() = default;
  // What was known, ascending by id.
  explicit NextBootUses(std::vector<NextBootUse> known);

  // Takes a use. If other agents have reported the same one before: all of their reports and this
  // one, the oldest first. Nothing if nobody has, or if this agent has told it already.
  std::vector<NextBootUse> Add(NextBootUse use);

  // The uses of the newest assignment that this host used at several agents, the oldest first;
  // nothing if there is none.
  std::vector<NextBootUse> UsedTwice(HostId host) const;

  // Those with a higher id, ascending.
  std::vector<NextBootUse> After(int64_t id) const;

  // 0 if there is none.
  int64_t last_id() const { return uses_.empty() ? 0 : uses_.rbegin()->first; }

 private:
  void Keep(NextBootUse use);

  std::map<int64_t, NextBootUse> uses_;                             // By id.
  std::map<std::pair<HostId, int64_t>, std::vector<int64_t>> ids_;  // By host and token.
};

}  // namespace autopxe::server
