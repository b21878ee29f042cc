#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/profile.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/configuration_step.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {

// The current ones, by name.
absl::StatusOr<std::vector<Profile>> LoadProfiles(Database& database);

// Writes what `change` says of profiles.
absl::Status WriteProfiles(Database& database, const Change& change);

// Adds to each of `changes`, which follow each other and begin above revision `after`, the profiles
// it changed and deleted.
absl::Status AddProfileChanges(Database& database, int64_t after, ChangesByNumber& changes);

// Adds to `step` what its revision did to profiles, or to the one called `only` unless that is
// empty.
absl::Status AddProfileStep(Database& database, const std::string& only, ConfigurationStep& step);

}  // namespace autopxe::server
