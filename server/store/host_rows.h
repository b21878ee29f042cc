#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "common/model/host.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/configuration_step.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {

// The current ones, by id.
absl::StatusOr<std::vector<std::shared_ptr<const Host>>> LoadHosts(Database& database);

// The lowest id that no host ever had.
absl::StatusOr<HostId> LoadNextHostId(Database& database);

// Writes what `change`, which applies to `before`, says of hosts and all that is theirs.
absl::Status WriteHosts(Database& database, const Snapshot& before, const Change& change);

// Adds to each of `changes`, which follow each other and begin above revision `after`, the hosts it
// changed and deleted.
absl::Status AddHostChanges(Database& database, int64_t after, ChangesByNumber& changes);

// Adds to `step` what its revision did to hosts, or to that one.
absl::Status AddHostStep(Database& database, absl::optional<HostId> only, ConfigurationStep& step);

}  // namespace autopxe::server
