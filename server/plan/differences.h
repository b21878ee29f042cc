#pragma once

#include <string>
#include <vector>

#include "common/model/snapshot.h"

namespace autopxe::server {

// How one resource differs from what it was.
struct Difference {
  std::string kind;   // "host", "group", "profile", "distro", "settings" or "agent".
  std::string name;   // An agent's id; empty for the settings of the whole server.
  std::string field;  // "distro", "macs", "command_line", "variables.nfs-server", ...
  std::string before;
  std::string after;

  friend bool operator==(const Difference&, const Difference&) = default;
};

// How each resource that `change` touches differs from what it was in `before`, which `change`
// applies to: the settings, then those of agents, then groups, then profiles, then declared
// distros, then hosts, each by name.
std::vector<Difference> Compare(const Snapshot& before, const Change& change);

}  // namespace autopxe::server
