#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace autopxe::ctl {

// The value of an environment variable, or nothing.
using Variables = std::function<absl::optional<std::string>(const std::string& name)>;

// Which server to talk to, as "host:port": what --server says; else AUTOPXE_SERVER; else the key
// `server` of $XDG_CONFIG_HOME/autopxe/ctl.yaml (~/.config/autopxe/ctl.yaml); else of
// `system_file`; else 127.0.0.1:7766. Errors: a usage error that names the place, its value and
// what is expected.
absl::StatusOr<std::string> ChooseServer(const absl::optional<std::string>& flag,
                                         const Variables& variables,
                                         const std::string& system_file);

}  // namespace autopxe::ctl
