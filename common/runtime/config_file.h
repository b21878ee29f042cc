#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// A key of a configuration file.
struct ConfigEntry {
  std::vector<std::string> values;  // One for a scalar; as many as the list has for a list.
  bool is_list = false;
  int line = 0;  // From 1.
};

// A flat YAML file: keys with a scalar or a list of scalars each.
class ConfigFile {
 public:
  // `name` is what messages call the file.
  // Errors: INVALID_ARGUMENT: no YAML, not a mapping, a key twice, a nested mapping, an empty
  // value; the message begins with "name:line: ".
  static absl::StatusOr<ConfigFile> Parse(absl::string_view text, absl::string_view name);

  // Errors: those of Parse; NOT_FOUND: no such file; UNAVAILABLE: it can't be read or is larger
  // than 1 MiB.
  static absl::StatusOr<ConfigFile> Open(const std::string& path);

  const std::map<std::string, ConfigEntry>& entries() const { return entries_; }
  const std::string& name() const { return name_; }

  // "name:line".
  std::string Where(const ConfigEntry& entry) const;

 private:
  std::string name_;
  std::map<std::string, ConfigEntry> entries_;
};

}  // namespace autopxe
