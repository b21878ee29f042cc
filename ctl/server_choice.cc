#include "ctl/server_choice.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/runtime/config_file.h"
#include "common/runtime/server_address.h"
#include "common/status/status_macros.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

constexpr char kKey[] = "server";

absl::StatusOr<std::string> Parse(absl::string_view place, const std::string& text) {
  absl::StatusOr<std::string> address = ParseServerAddress(text);
  if (!address.ok()) return UsageError(absl::StrCat(place, ": ", address.status().message()));
  return address;
}

// Nothing if there is no such file, or it does not say.
absl::StatusOr<absl::optional<std::string>> ReadFile(const std::string& path) {
  const absl::StatusOr<ConfigFile> file = ConfigFile::Open(path);
  if (absl::IsNotFound(file.status())) return absl::optional<std::string>();
  if (!file.ok()) return UsageError(file.status().message());
  absl::optional<std::string> server;
  for (const auto& [key, entry] : file->entries()) {
    if (key != kKey) {
      return UsageError(
          absl::StrCat(file->Where(entry), ": unknown key \"", key, "\"; expected ", kKey));
    }
    if (entry.is_list) {
      return UsageError(absl::StrCat(file->Where(entry), ": expected one server, got a list"));
    }
    ASSIGN_OR_RETURN(server, Parse(file->Where(entry), entry.values.front()));
  }
  return server;
}

}  // namespace

absl::StatusOr<std::string> ChooseServer(const absl::optional<std::string>& flag,
                                         const Variables& variables,
                                         const std::string& system_file) {
  if (flag.has_value()) return Parse("--server", *flag);
  const absl::optional<std::string> variable = variables("AUTOPXE_SERVER");
  // Set but empty counts as unset, as shells make it hard to unset one for a single command.
  if (variable.has_value() && !variable->empty()) return Parse("AUTOPXE_SERVER", *variable);

  std::vector<std::string> files;
  const std::string configuration = variables("XDG_CONFIG_HOME").value_or("");
  const std::string home = variables("HOME").value_or("");
  if (!configuration.empty()) {
    files.push_back(absl::StrCat(configuration, "/autopxe/ctl.yaml"));
  } else if (!home.empty()) {
    files.push_back(absl::StrCat(home, "/.config/autopxe/ctl.yaml"));
  }
  files.push_back(system_file);
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(const absl::optional<std::string> server, ReadFile(file));
    if (server.has_value()) return *server;
  }
  return absl::StrCat("127.0.0.1:", kServerPort);
}

}  // namespace autopxe::ctl
