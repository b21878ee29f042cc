#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/model/agent_status.h"
#include "common/model/catalog.h"
#include "common/model/name.h"
#include "server/sqlite/database.h"
#include "server/store/agent_report.h"

namespace autopxe::server {

absl::StatusOr<AgentReports> LoadAgentReports(Database& database);

absl::Status WriteAgentStatus(Database& database, const AgentId& id, const AgentStatus& status,
                              absl::Time last_seen);

// Forgets its status and its catalog. Nothing if there are none.
absl::Status DeleteAgentReport(Database& database, const AgentId& id);

// Replaces the agent's catalog. A distro without releases is not kept; of two releases of one name
// the first is.
absl::Status WriteAgentCatalog(Database& database, const AgentId& id, const Catalog& catalog);

}  // namespace autopxe::server
