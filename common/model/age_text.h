#pragma once

#include <string>

#include "absl/time/time.h"

namespace autopxe {

// How long ago something was, as people say it: "0s", "45s", "3m12s", "2h5m", "3d4h"; the two
// largest units, rounded down. What is negative is "0s".
std::string FormatAge(absl::Duration age);

}  // namespace autopxe
