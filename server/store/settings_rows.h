#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/settings.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/configuration_step.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {

// The current ones; the defaults if none were ever set.
absl::StatusOr<Settings> LoadSettings(Database& database);

// Writes what `change`, which applies to `before`, says of the settings and the global variables.
absl::Status WriteSettings(Database& database, const Snapshot& before, const Change& change);

// Adds to each of `changes`, which follow each other and begin above revision `after`, the settings
// it changed.
absl::Status AddSettingsChanges(Database& database, int64_t after, ChangesByNumber& changes);

// Adds to `step` what its revision did to the settings.
absl::Status AddSettingsStep(Database& database, ConfigurationStep& step);

}  // namespace autopxe::server
