#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/model/command_line_template.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"
#include "common/status/problem.h"
#include "server/plan/catalogs.h"

namespace autopxe::server {

// What is wrong with setting and unsetting these variables at once: a name that means something
// else in a template, or one that is in both. The problems' mutation is for the caller to fill.
std::vector<Problem> CheckVariables(const std::map<VariableName, VariableValue>& set,
                                    const std::vector<VariableName>& unset);

// What is wrong with a profile's template: a default that could never be used. The problems'
// mutation is for the caller to fill.
std::vector<Problem> CheckTemplate(const ProfileName& profile,
                                   const CommandLineTemplate& command_line);

// A variable that a profile uses and that not every host gets.
struct UnsetVariable {
  ProfileName profile;
  std::string variable;
  // No host gets it that could boot with the profile: none at all, or none of those that do.
  bool reaches_nobody;
  std::string sentence;  // `profile "p" uses ${x}, which no variable sets`
};

// What `after`, the configuration to be, lacks. Looked at are all variables of the profiles
// `set_profiles`, and `unset_variables` in every profile. Those that the global settings set, or
// every agent's, cost nothing more; for others all hosts are looked at once. An agent that has no
// catalog in `catalogs` is none whose hosts could lack one. Hosts count as they boot at `now`.
std::vector<UnsetVariable> FindUnsetVariables(const Snapshot& after, const Catalogs& catalogs,
                                              const std::set<ProfileName>& set_profiles,
                                              const std::set<std::string>& unset_variables,
                                              absl::Time now);

}  // namespace autopxe::server
