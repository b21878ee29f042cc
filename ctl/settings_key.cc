#include "ctl/settings_key.h"

#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "common/model/quote.h"
#include "ctl/exit_code.h"

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

void SetTimeout(absl::Duration timeout, v1::Mutation::UpdateSettings* update) {
  update->mutable_menu_timeout()->set_seconds(
      absl::IDivDuration(timeout, absl::Seconds(1), &timeout));
  update->mutable_menu_timeout()->set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(timeout)));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> SettingsByKey(const v1::Settings& settings) {
  const absl::Duration timeout = absl::Seconds(settings.menu_timeout().seconds()) +
                                 absl::Nanoseconds(settings.menu_timeout().nanos());
  std::vector<std::pair<std::string, std::string>> keys = {
      {kDefaultDistro, settings.default_distro()},
      {kUnknownHosts, settings.unknown_hosts()},
      {kMenuTimeout, absl::FormatDuration(timeout)},
      {kRootfsPathPrefix, settings.rootfs_path_prefix()},
  };
  const std::map<std::string, std::string> variables(settings.variables().begin(),
                                                     settings.variables().end());
  for (const auto& [name, value] : variables) {
    keys.emplace_back(absl::StrCat(kVariables, name), value);
  }
  return keys;
}

absl::StatusOr<v1::Mutation::UpdateSettings> SetKey(const std::string& key,
                                                    const std::string& value) {
  v1::Mutation::UpdateSettings update;
  std::string variable;
  if (key == kDefaultDistro) {
    update.set_default_distro(value);
  } else if (key == kUnknownHosts) {
    update.set_unknown_hosts(value);
  } else if (key == kRootfsPathPrefix) {
    update.set_rootfs_path_prefix(value);
  } else if (key == kMenuTimeout) {
    absl::Duration timeout;
    // A Duration of the wire ends at 10,000 years; the server has narrower limits.
    if (!absl::ParseDuration(value, &timeout) ||
        absl::AbsDuration(timeout) > absl::Hours(24 * 365)) {
      return UsageError(
          absl::StrCat(kMenuTimeout, ": ", Quote(value), ": expected a time such as 10s or 1m"));
    }
    SetTimeout(timeout, &update);
  } else if (IsVariable(key, &variable)) {
    (*update.mutable_set_variables())[variable] = value;
  } else {
    return UnknownKey(key);
  }
  return update;
}

absl::StatusOr<v1::Mutation::UpdateSettings> UnsetKey(const std::string& key) {
  v1::Mutation::UpdateSettings update;
  std::string variable;
  if (key == kMenuTimeout) {
    SetTimeout(absl::ZeroDuration(), &update);  // Zero stands for the default.
  } else if (IsVariable(key, &variable)) {
    update.add_unset_variables(variable);
  } else {
    return SetKey(key, "");
  }
  return update;
}

}  // namespace autopxe::ctl
