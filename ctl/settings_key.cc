#include "ctl/settings_key.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/model/quote.h"
#include "ctl/exit_code.h"
#include "google/protobuf/map.h"

namespace autopxe::ctl {
namespace {

constexpr char kDefaultDistro[] = "default-distro";
constexpr char kUnknownHosts[] = "unknown-hosts";
constexpr char kMenuTimeout[] = "menu-timeout";
constexpr char kRootfsPathPrefix[] = "rootfs-path-prefix";
constexpr absl::string_view kVariables = "variables.";

absl::Status UnknownKey(const std::string& key) {
  return UsageError(absl::StrCat("settings: ", Quote(key), " is no key; there are ", kDefaultDistro,
                                 ", ", kUnknownHosts, ", ", kMenuTimeout, ", ", kRootfsPathPrefix,
                                 " and ", kVariables, "NAME"));
}

// The name behind "variables."; false if `key` is no such key.
bool IsVariable(const std::string& key, std::string* name) {
  absl::string_view rest = key;
  if (!absl::ConsumePrefix(&rest, kVariables) || rest.empty()) return false;
  *name = std::string(rest);
  return true;
}

absl::Status UnknownAgentKey(const std::string& key) {
  return UsageError(absl::StrCat("agent: ", Quote(key), " is no key; there are ", kDefaultDistro,
                                 ", ", kRootfsPathPrefix, " and ", kVariables, "NAME"));
}

// The following two do what settings of the whole server and those of an agent have in common, and
// return false for a key that is none of it.
template <typename Update>
bool SetCommonKey(const std::string& key, const std::string& value, Update* update) {
  std::string variable;
  if (key == kDefaultDistro) {
    update->set_default_distro(value);
  } else if (key == kRootfsPathPrefix) {
    update->set_rootfs_path_prefix(value);
  } else if (IsVariable(key, &variable)) {
    (*update->mutable_set_variables())[variable] = value;
  } else {
    return false;
  }
  return true;
}

template <typename Update>
bool UnsetCommonKey(const std::string& key, Update* update) {
  std::string variable;
  if (!IsVariable(key, &variable)) return SetCommonKey(key, "", update);
  update->add_unset_variables(variable);
  return true;
}

using Keys = std::vector<std::pair<std::string, std::string>>;

void AddVariables(const google::protobuf::Map<std::string, std::string>& variables, Keys* keys) {
  const std::map<std::string, std::string> by_name(variables.begin(), variables.end());
  for (const auto& [name, value] : by_name) {
    keys->emplace_back(absl::StrCat(kVariables, name), value);
  }
}

void SetTimeout(absl::Duration timeout, v1::Mutation::UpdateSettings* update) {
  update->mutable_menu_timeout()->set_seconds(
      absl::IDivDuration(timeout, absl::Seconds(1), &timeout));
  update->mutable_menu_timeout()->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(timeout)));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> SettingsByKey(const v1::Settings& settings) {
  const absl::Duration timeout = absl::Seconds(settings.menu_timeout().seconds()) +
                                 absl::Nanoseconds(settings.menu_timeout().nanos());
  Keys keys = {
      {kDefaultDistro, settings.default_distro()},
      {kUnknownHosts, settings.unknown_hosts()},
      {kMenuTimeout, absl::FormatDuration(timeout)},
      {kRootfsPathPrefix, settings.rootfs_path_prefix()},
  };
  AddVariables(settings.variables(), &keys);
  return keys;
}

std::vector<std::pair<std::string, std::string>> SettingsByKey(const v1::AgentSettings& settings) {
  Keys keys = {
      {kDefaultDistro, settings.default_distro()},
      {kRootfsPathPrefix, settings.rootfs_path_prefix()},
  };
  AddVariables(settings.variables(), &keys);
  return keys;
}

absl::StatusOr<v1::Mutation::UpdateSettings> SetKey(const std::string& key,
                                                    const std::string& value) {
  v1::Mutation::UpdateSettings update;
  if (key == kUnknownHosts) {
    update.set_unknown_hosts(value);
  } else if (key == kMenuTimeout) {
    absl::Duration timeout;
    // A Duration of the wire ends at 10,000 years; the server has narrower limits.
    // Zero would return it to its default, as only unset does.
    if (!absl::ParseDuration(value, &timeout) || timeout <= absl::ZeroDuration() ||
        timeout > absl::Hours(24 * 365)) {
      return UsageError(absl::StrCat(kMenuTimeout, ": ", Quote(value),
                                     ": expected a time from 1s to 1h, such as 10s or 1m"));
    }
    SetTimeout(timeout, &update);
  } else if (!SetCommonKey(key, value, &update)) {
    return UnknownKey(key);
  }
  return update;
}

absl::StatusOr<v1::Mutation::UpdateAgentSettings> SetAgentKey(const std::string& agent,
                                                              const std::string& key,
                                                              const std::string& value) {
  v1::Mutation::UpdateAgentSettings update;
  update.set_agent_id(agent);
  if (!SetCommonKey(key, value, &update)) return UnknownAgentKey(key);
  return update;
}

absl::StatusOr<v1::Mutation::UpdateSettings> UnsetKey(const std::string& key) {
  v1::Mutation::UpdateSettings update;
  if (key == kMenuTimeout) {
    SetTimeout(absl::ZeroDuration(), &update);  // Zero stands for the default.
  } else if (!UnsetCommonKey(key, &update)) {
    return SetKey(key, "");
  }
  return update;
}

absl::StatusOr<v1::Mutation::UpdateAgentSettings> UnsetAgentKey(const std::string& agent,
                                                                const std::string& key) {
  v1::Mutation::UpdateAgentSettings update;
  update.set_agent_id(agent);
  if (!UnsetCommonKey(key, &update)) return UnknownAgentKey(key);
  return update;
}

}  // namespace autopxe::ctl
