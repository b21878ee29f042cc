#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"
#include "server/plan/template_owner.h"

namespace autopxe::server {

// A variable that a template needs and that hosts which boot with it lack.
struct LackedVariable {
  TemplateOwner owner;
  std::string variable;
  absl::optional<AgentId> agent;   // Only at this one, by its default distro.
  std::vector<std::string> hosts;  // By name. Empty: those that nobody has named.

  // `profile "p" uses ${x}, which 2 hosts that boot with it don't get: cn[03-04]`; bounded.
  std::string Sentence() const;
};

// What is lacked in `after`, which `change` makes of `before`, and was not before it, as hosts boot
// at `now`. Looked at are the hosts that the change touches; all of them once if it sets or deletes
// a group or changes the default distro, and some template needs what not every host gets. A
// template that is set is the caller's to judge, as is a variable that is taken away. What any
// agent sets is none of it: at which agent a host boots is not known here, and the template's being
// set has told of it.
std::vector<LackedVariable> FindLackedVariables(const Snapshot& before, const Snapshot& after,
                                                const Change& change, absl::Time now);

}  // namespace autopxe::server
