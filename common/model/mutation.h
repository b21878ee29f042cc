#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/command_line_template.h"
#include "common/model/distro.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"

namespace autopxe {

// Assigns a distro to a host. An unknown MAC creates the host, an unknown name is refused.
struct Assign {
  HostReference host;
  Distro distro;
  bool allow_missing = false;  // Assign although no agent offers the distro.

  friend bool operator==(const Assign&, const Assign&) = default;
};

// Takes a host's assignment away.
struct Unassign {
  HostReference host;

  friend bool operator==(const Unassign&, const Unassign&) = default;
};

struct CreateHost {
  HostName name;
  std::vector<MacAddress> macs;  // 1 to kMaxMacsPerHost, ascending, without repeats.

  friend bool operator==(const CreateHost&, const CreateHost&) = default;
};

struct DeleteHost {
  HostReference host;

  friend bool operator==(const DeleteHost&, const DeleteHost&) = default;
};

// Creates a profile or replaces its template.
struct SetProfile {
  ProfileName name;
  CommandLineTemplate command_line;

  friend bool operator==(const SetProfile&, const SetProfile&) = default;
};

struct DeleteProfile {
  ProfileName name;

  friend bool operator==(const DeleteProfile&, const DeleteProfile&) = default;
};

// Changes the settings that it names. Outer optional: whether to change; inner: the value, or back
// to the default.
struct UpdateSettings {
  absl::optional<absl::optional<Distro>> default_distro;
  absl::optional<absl::optional<Distro>> unknown_hosts;
  bool allow_missing = false;
  std::map<VariableName, VariableValue> set_variables;
  std::vector<VariableName> unset_variables;
  absl::optional<absl::Duration> menu_timeout;  // Within Settings' limits, whole seconds.
  absl::optional<absl::optional<RootfsPathPrefix>> rootfs_path_prefix;

  friend bool operator==(const UpdateSettings&, const UpdateSettings&) = default;
};

// Changes the settings of one agent's hosts that it names, as UpdateSettings does.
struct UpdateAgentSettings {
  AgentId agent;
  absl::optional<absl::optional<Distro>> default_distro;
  bool allow_missing = false;  // Although this agent does not offer the distro.
  std::map<VariableName, VariableValue> set_variables;
  std::vector<VariableName> unset_variables;
  absl::optional<absl::optional<RootfsPathPrefix>> rootfs_path_prefix;

  friend bool operator==(const UpdateAgentSettings&, const UpdateAgentSettings&) = default;
};

// One change that somebody asks for. The plan decides whether it can be made.
using Mutation = std::variant<Assign, Unassign, CreateHost, DeleteHost, SetProfile, DeleteProfile,
                              UpdateSettings, UpdateAgentSettings>;

// What a caller believes is current. etag 0: it must not exist.
struct ExpectedEtag {
  // monostate: the settings of the whole server. An agent's id: its hosts' settings.
  std::variant<HostReference, ProfileName, std::monostate, AgentId> resource;
  int64_t etag = 0;

  friend bool operator==(const ExpectedEtag&, const ExpectedEtag&) = default;
};

// What is accepted or refused whole.
struct Batch {
  std::vector<Mutation> mutations;
  std::vector<ExpectedEtag> expected_etags;
};

}  // namespace autopxe
