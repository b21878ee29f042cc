#pragma once

#include <memory>
#include <vector>

#include "common/model/snapshot.h"

namespace autopxe::server {

// What one revision did, as the rows that it ended and began tell: what it touched, as that was
// before, and the change.
struct ConfigurationStep {
  Settings settings;
  std::vector<AgentSettings> agent_settings;
  Snapshot::Groups groups;
  std::vector<Profile> profiles;
  std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros;
  std::vector<std::shared_ptr<const Host>> hosts;
  Change change;
};

}  // namespace autopxe::server
