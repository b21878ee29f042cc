#pragma once

#include <cstddef>
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
#include "server/plan/template_owner.h"

namespace autopxe::server {

// What is wrong with setting and unsetting these variables at once: a name that means something
// else in a template, one that is in both, or a way to the local disk that there is not. The
// problems' mutation is for the caller to fill.
std::vector<Problem> CheckVariables(const std::map<VariableName, VariableValue>& set,
                                    const std::vector<VariableName>& unset);

// What is wrong with a template: a default that could never be used, or, in a declared distro's, a
// built-in that only a scanned kernel has. The problems' mutation is for the caller to fill.
std::vector<Problem> CheckTemplate(const TemplateOwner& owner,
                                   const CommandLineTemplate& command_line);

// A variable that a template uses and that not every host gets.
struct UnsetVariable {
  TemplateOwner owner;
  std::string variable;
  // No host gets it that could boot with the template: none at all, or none of those that do.
  bool reaches_nobody;
  size_t users;          // Hosts that boot with the template.
  std::string sentence;  // `profile "p" uses ${x}, which no variable sets`, and who boots with it.
};

// What `after`, the configuration to be, lacks. Looked at are all variables of the templates of
// `set_owners`, and `unset_variables` in every template. Those that the global settings set, or
// every agent's, cost nothing more; for others all hosts are looked at once. An agent that has no
// catalog in `catalogs` is none whose hosts could lack one. Hosts count as they boot at `now`.
std::vector<UnsetVariable> FindUnsetVariables(const Snapshot& after, const Catalogs& catalogs,
                                              const std::set<TemplateOwner>& set_owners,
                                              const std::set<std::string>& unset_variables,
                                              absl::Time now);

}  // namespace autopxe::server
