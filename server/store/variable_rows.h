#pragma once

#include <map>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/name.h"
#include "server/sqlite/database.h"

namespace autopxe::server {

using Variables = std::map<VariableName, VariableValue>;

// Where variables hold: see migrations/0001_configuration.sql. Both texts outlive the object.
struct VariableScope {
  absl::string_view scope;  // "global", "agent", "group" or "host".
  absl::string_view key;    // An agent's id, a group's name, a host's id; empty for "global".
};

// Those that held as of the revision.
absl::StatusOr<Variables> LoadVariables(Database& database, const VariableScope& scope,
                                        int64_t revision);

// Writes the step from `before`, which are the current ones, to `after`.
absl::Status WriteVariables(Database& database, const VariableScope& scope, const Variables& before,
                            const Variables& after, int64_t revision);

}  // namespace autopxe::server
