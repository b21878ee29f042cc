#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/configuration_step.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {

// The current ones, by name.
absl::StatusOr<Snapshot::Groups> LoadGroups(Database& database);

// Writes what `change`, which applies to `before`, says of groups and their variables.
absl::Status WriteGroups(Database& database, const Snapshot& before, const Change& change);

// Adds to each of `changes`, which follow each other and begin above revision `after`, the groups
// it changed and deleted.
absl::Status AddGroupChanges(Database& database, int64_t after, ChangesByNumber& changes);

// Adds to `step` what its revision did to groups, or to the one called `only` unless that is empty.
absl::Status AddGroupStep(Database& database, const std::string& only, ConfigurationStep& step);

}  // namespace autopxe::server
