#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/command_line_template.h"
#include "common/model/declared_distro.h"
#include "common/model/distro.h"
#include "common/model/group.h"
#include "common/model/host.h"
#include "common/model/label.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"
#include "common/model/selector.h"

namespace autopxe {

// For how long an assignment holds: until another one (monostate), for the next boot only, for a
// time from when it is made, or until a time. A standing one ends one that would end by itself.
struct NextBootOnly {
  friend bool operator==(const NextBootOnly&, const NextBootOnly&) = default;
};
using Term = std::variant<std::monostate, NextBootOnly, absl::Duration, absl::Time>;

// What keeps a mistyped term from holding for a lifetime.
inline constexpr absl::Duration kMaxTerm = absl::Hours(24 * 366);

// Assigns a distro to a host. An unknown MAC creates the host, an unknown name is refused.
struct Assign {
  HostReference host;
  Distro distro;
  bool allow_missing = false;  // Assign although no agent offers the distro.
  Term term = {};

  friend bool operator==(const Assign&, const Assign&) = default;
};

// Takes a host's assignments away: all of them, or the one for the next boot only.
struct Unassign {
  HostReference host;
  bool next_boot_only = false;

  friend bool operator==(const Unassign&, const Unassign&) = default;
};

struct CreateHost {
  HostName name;
  std::vector<MacAddress> macs;  // 1 to kMaxMacsPerHost, ascending, without repeats.

  friend bool operator==(const CreateHost&, const CreateHost&) = default;
};

// Changes what it names of a host. Outer optional of `note`: whether to change.
struct UpdateHost {
  HostReference host;
  absl::optional<HostName> name = {};  // A new one.
  std::vector<MacAddress> add_macs = {};
  std::vector<MacAddress> remove_macs = {};
  Labels set_labels = {};
  std::vector<LabelKey> unset_labels = {};
  std::map<VariableName, VariableValue> set_variables = {};
  std::vector<VariableName> unset_variables = {};
  absl::optional<Note> note = {};
  absl::optional<bool> locked = {};

  friend bool operator==(const UpdateHost&, const UpdateHost&) = default;
};

// An agent served the kernel of a next-boot assignment, which is used up by that. Nothing happens
// if the host or that assignment is no longer there.
struct UseNextBoot {
  HostId host;
  int64_t token = 0;

  friend bool operator==(const UseNextBoot&, const UseNextBoot&) = default;
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

// Declares a distro, or declares it anew. The etag is not looked at.
struct DeclareDistro {
  DeclaredDistro distro;

  friend bool operator==(const DeclareDistro&, const DeclareDistro&) = default;
};

struct DeleteDeclaredDistro {
  DistroName name;

  friend bool operator==(const DeleteDeclaredDistro&, const DeleteDeclaredDistro&) = default;
};

// Creates a group, which takes a selector, or changes what it names of one. Outer optional of
// `distro`: whether to change; inner: the value, or none.
struct SetGroup {
  GroupName name;
  absl::optional<Selector> selector = {};
  absl::optional<int32_t> priority = {};  // kMinGroupPriority to kMaxGroupPriority.
  absl::optional<absl::optional<Distro>> distro = {};
  bool allow_missing = false;
  std::map<VariableName, VariableValue> set_variables = {};
  std::vector<VariableName> unset_variables = {};

  friend bool operator==(const SetGroup&, const SetGroup&) = default;
};

struct DeleteGroup {
  GroupName name;

  friend bool operator==(const DeleteGroup&, const DeleteGroup&) = default;
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
using Mutation =
    std::variant<Assign, Unassign, CreateHost, UpdateHost, DeleteHost, SetGroup, DeleteGroup,
                 SetProfile, DeleteProfile, DeclareDistro, DeleteDeclaredDistro, UpdateSettings,
                 UpdateAgentSettings, UseNextBoot>;

// What a caller believes is current. etag 0: it must not exist.
struct ExpectedEtag {
  // monostate: the settings of the whole server. An agent's id: its hosts' settings.
  std::variant<HostReference, ProfileName, std::monostate, AgentId, GroupName, DistroName> resource;
  int64_t etag = 0;

  friend bool operator==(const ExpectedEtag&, const ExpectedEtag&) = default;
};

// What is accepted or refused whole.
struct Batch {
  std::vector<Mutation> mutations;
  std::vector<ExpectedEtag> expected_etags;
  // Change also what locked hosts boot, and let templates have variables that reach nobody.
  bool force = false;
};

}  // namespace autopxe
