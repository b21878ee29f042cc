#pragma once

#include <map>
#include <memory>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/agent_status.h"
#include "common/model/catalog.h"
#include "common/model/name.h"

namespace autopxe::server {

// What an agent reported last.
struct AgentReport {
  absl::optional<AgentStatus> status;           // Empty: none yet.
  absl::Time last_seen = absl::InfinitePast();  // When its status came, by the server's clock.
  std::shared_ptr<const Catalog> catalog;       // Null: none yet.
};
using AgentReports = std::map<AgentId, AgentReport>;

}  // namespace autopxe::server
