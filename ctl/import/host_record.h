#pragma once

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/label.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"
#include "ctl/import/host_table.h"

namespace autopxe::ctl {

// The fields of a host in a file: "name", "macs" (several are separated by ';' or blanks),
// "distro", "note", "label.KEY" and "var.NAME".
inline constexpr char kMacsField[] = "macs";
inline constexpr char kLabelField[] = "label.";
inline constexpr char kVariableField[] = "var.";

// Errors: INVALID_ARGUMENT: no field of these, in words that name those that there are.
absl::Status CheckHostField(absl::string_view field);

// What a file says of one host; what it doesn't say stays as it is.
struct HostRecord {
  Place place;
  absl::optional<HostName> name;
  std::vector<MacAddress> macs;  // In the order of the file, without repeats.
  Labels labels;
  std::map<VariableName, VariableValue> variables;
  absl::optional<Distro> distro;
  absl::optional<Note> note;
};

struct HostRecords {
  std::vector<HostRecord> records;  // Each with a name or a MAC; those of no other record.
  std::vector<ImportProblem> problems;
};

// Checks all of `table`, so that everything wrong is told at once, its problems among them, by
// line.
HostRecords ReadHostRecords(const HostTable& table);

}  // namespace autopxe::ctl
