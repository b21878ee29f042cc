#pragma once

#include <cstdint>
#include <map>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/name.h"

namespace autopxe {

// What holds for every host and agent unless something nearer says otherwise.
struct Settings {
  static constexpr absl::Duration kDefaultMenuTimeout = absl::Seconds(10);
  static constexpr absl::Duration kMinMenuTimeout = absl::Seconds(1);
  static constexpr absl::Duration kMaxMenuTimeout = absl::Hours(1);

  absl::optional<Distro> default_distro;  // For hosts without an assignment.
  std::map<VariableName, VariableValue> variables;
  absl::Duration menu_timeout = kDefaultMenuTimeout;    // Whole seconds.
  absl::optional<RootfsPathPrefix> rootfs_path_prefix;  // Unset: the agent's own rootfs folder.
  absl::optional<Distro> unknown_hosts;                 // Unset: the default distro.
  int64_t etag = 0;                                     // The revision that changed them last.

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace autopxe
