#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/model/command_line_template.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"
#include "common/status/problem.h"
#include "server/plan/catalogs.h"
#include "server/plan/overlay.h"

namespace autopxe::server {

// What is wrong with setting and unsetting these variables at once: a name that means something
// else in a template, or one that is in both. The problems' mutation is for the caller to fill.
std::vector<Problem> CheckVariables(const std::map<VariableName, VariableValue>& set,
                                    const std::vector<VariableName>& unset);

// What is wrong with a profile's template: a default that could never be used. The problems'
// mutation is for the caller to fill.
std::vector<Problem> CheckTemplate(const ProfileName& profile,
                                   const CommandLineTemplate& command_line);

// A sentence for each variable that a profile uses and that nobody sets, or only some of the
// agents do. Looked at are all variables of the profiles `set_profiles`, and `unset_variables` in
// every profile. An agent that has no catalog in `catalogs` is none whose hosts could lack one.
std::vector<std::string> WarningsOfUnsetVariables(const Overlay& overlay, const Catalogs& catalogs,
                                                  const std::set<ProfileName>& set_profiles,
                                                  const std::set<std::string>& unset_variables);

}  // namespace autopxe::server
