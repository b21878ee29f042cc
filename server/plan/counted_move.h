#pragma once

#include <cstdint>
#include <vector>

#include "common/model/kernel_move.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"

namespace autopxe::server {

// A name of a kernel that moved at an agent, and whom it concerns.
struct CountedMove {
  KernelMove move;
  // How many hosts of the configuration would boot it by that name if this agent served them: by
  // their standing assignment, or else by the default distro. Which agent serves which host nobody
  // knows before it starts, so a host counts at every agent.
  int64_t hosts = 0;

  friend bool operator==(const CountedMove&, const CountedMove&) = default;
};

// Counts the hosts of each move at `agent`, in one pass over the hosts.
std::vector<CountedMove> CountHosts(const Snapshot& snapshot, const AgentId& agent,
                                    std::vector<KernelMove> moves);

}  // namespace autopxe::server
