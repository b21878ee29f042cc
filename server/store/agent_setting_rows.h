#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/agent_settings.h"
#include "common/model/snapshot.h"
#include "server/sqlite/database.h"
#include "server/store/configuration_step.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {

// The current ones, by the agents' ids.
absl::StatusOr<std::vector<AgentSettings>> LoadAgentSettings(Database& database);

// Writes what `change`, which applies to `before`, says of agents' settings and their variables.
absl::Status WriteAgentSettings(Database& database, const Snapshot& before, const Change& change);

// Adds to each of `changes`, which follow each other and begin above revision `after`, the agents'
// settings it changed and deleted.
absl::Status AddAgentSettingsChanges(Database& database, int64_t after, ChangesByNumber& changes);

// Adds to `step` what its revision did to agents' settings, or to those of the agent `only` unless
// that is empty.
absl::Status AddAgentSettingsStep(Database& database, const std::string& only,
                                  ConfigurationStep& step);

}  // namespace autopxe::server
