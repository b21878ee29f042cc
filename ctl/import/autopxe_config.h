#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/mutation.h"

namespace autopxe::ctl {

// What was made of one key of the file.
struct ImportedKey {
  int line = 0;         // From 1.
  std::string key;      // "DefaultDistro", "Env.nfs-server": text of the file, unescaped.
  std::string outcome;  // "default-distro = debian/stable/latest/overlayfs".
};

// What a file asks for, with what became of each of its keys.
struct Import {
  std::vector<ImportedKey> keys;     // In the order of the file.
  std::vector<ImportedKey> unknown;  // Keys that the format does not have: named, not taken.
  std::vector<ImportedKey> refused;  // Keys that can't be taken; `outcome` says why.
  std::vector<Mutation>
      mutations;  // Profiles, then settings, then hosts: what is named comes first.
  std::vector<ImportedKey> mutation_keys;  // The key behind each mutation.
};

// Reads config.yaml, version 1, of AutoPXE, the predecessor: DefaultDistro, RootfsPath, Env,
// CmdlineTemplates and HostDefaults. Distros that no agent offers are taken (allow_missing): the
// trees may come later. Values are checked here, so that every key that is refused can be told with
// its line, not just the first. Errors: INVALID_ARGUMENT: no YAML, not a mapping, or not version 1;
// the message begins with "name:line: ".
absl::StatusOr<Import> ParseAutopxeConfig(absl::string_view text, absl::string_view name);

}  // namespace autopxe::ctl
