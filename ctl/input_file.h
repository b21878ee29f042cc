#pragma once

#include <istream>
#include <string>

#include "absl/status/statusor.h"

namespace autopxe::ctl {

// All of a file; "-" is `standard_input`.
// Errors: a usage error, naming the file: it can't be read, and why; or it is larger than 32 MiB.
absl::StatusOr<std::string> ReadInput(const std::string& path, std::istream& standard_input);

}  // namespace autopxe::ctl
