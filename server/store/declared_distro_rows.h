#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/configuration_step.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {

// The current ones, by name.
absl::StatusOr<std::vector<std::shared_ptr<const DeclaredDistro>>> LoadDeclaredDistros(
    Database& database);

// Writes what `change` says of declared distros.
absl::Status WriteDeclaredDistros(Database& database, const Change& change);

// Adds to each of `changes`, which follow each other and begin above revision `after`, the declared
// distros that it changed and deleted.
absl::Status AddDeclaredDistroChanges(Database& database, int64_t after, ChangesByNumber& changes);

// Adds to `step` what its revision did to declared distros, or to the one called `only` unless that
// is empty.
absl::Status AddDeclaredDistroStep(Database& database, const std::string& only,
                                   ConfigurationStep& step);

}  // namespace autopxe::server
