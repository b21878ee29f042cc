#pragma once

#include "absl/strings/string_view.h"
#include "ctl/import/host_table.h"

namespace autopxe::ctl {

// Reads hosts from YAML: a list of mappings with the keys name, macs (a list, or one text), labels
// and variables (mappings), distro and note. A value that is empty says nothing, but in labels and
// variables, where it is the empty value.
HostTable ParseHostYaml(absl::string_view text);

}  // namespace autopxe::ctl
