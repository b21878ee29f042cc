#pragma once

#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "boot/decision.h"
#include "common/model/catalog.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"

namespace autopxe {

// The variables that are set for a host of an agent, by name: the global ones, over them those of
// the agent, over them those of the groups that the host is in, the last of which is the one that
// wins (IsBefore), and over all its own. `host` is null for one that nobody has named, which has
// neither. Without those whose name a template could never reach, since a built-in or
// iPXE's own setting would be taken instead.
std::map<std::string, Decision::Variable> MergeVariables(const Snapshot& snapshot,
                                                         const AgentId& agent, const Host* host);

// The built-in `bootif`: "01-52-54-00-12-34-56", as pxelinux's BOOTIF.
std::string BootIfOf(const MacAddress& mac);

// The built-ins that a kernel decides, by name: all that the catalog knows of it, whichever profile
// and prefix it is booted with. None is empty.
std::map<std::string, std::string> KernelVariables(absl::string_view distro_name,
                                                   const CatalogRelease& release,
                                                   const CatalogKernel& kernel);

}  // namespace autopxe
