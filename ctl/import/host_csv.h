#pragma once

#include "absl/strings/string_view.h"
#include "ctl/import/host_table.h"

namespace autopxe::ctl {

// Reads hosts from CSV (see ParseCsv). The first line names the columns by their fields; every
// other one is a host, with as many values. Blanks around a value don't count; an empty one says
// nothing.
HostTable ParseHostCsv(absl::string_view text);

}  // namespace autopxe::ctl
