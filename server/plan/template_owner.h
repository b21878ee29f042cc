#pragma once

#include <string>
#include <variant>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/command_line_template.h"
#include "common/model/distro.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"

namespace autopxe::server {

// Whose template it is: a profile's, or a declared distro's arguments.
using TemplateOwner = std::variant<ProfileName, DistroName>;

// Whose template `distro` boots with; nothing for a built-in distro. A declared one may be chained
// and have none.
absl::optional<TemplateOwner> OwnerFor(const Distro& distro);

// The owner's template; null if it is not there, or is chained. Valid as long as `snapshot`.
const CommandLineTemplate* FindTemplate(const Snapshot& snapshot, const TemplateOwner& owner);

// "command_line" or "kernel.arguments": the field of a mutation that holds the template.
absl::string_view TemplateField(const TemplateOwner& owner);

// `profile "p"` or `distro "d"`.
std::string DescribeOwner(const TemplateOwner& owner);

// What hosts do: "boot with it", with a profile; "boot it", a declared distro.
absl::string_view BootIt(const TemplateOwner& owner);
// What one host does: "boots with it", "boots it".
absl::string_view BootsIt(const TemplateOwner& owner);

}  // namespace autopxe::server
