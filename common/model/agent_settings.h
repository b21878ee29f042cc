#pragma once

#include <cstdint>
#include <map>

#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/name.h"

namespace autopxe {

// What holds for the hosts of one agent, and wins over Settings.
struct AgentSettings {
  AgentId agent;
  absl::optional<Distro> default_distro;  // Unset: the one of Settings.
  std::map<VariableName, VariableValue> variables;
  absl::optional<RootfsPathPrefix> rootfs_path_prefix;  // Unset: the one of Settings.
  int64_t etag = 0;                                     // The revision that changed them last.

  // Whether nothing is set.
  bool empty() const {
    return !default_distro.has_value() && variables.empty() && !rootfs_path_prefix.has_value();
  }

  friend bool operator==(const AgentSettings&, const AgentSettings&) = default;
};

}  // namespace autopxe
