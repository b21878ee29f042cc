#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sqlite/database.h"
#include "server/store/next_boot_use.h"

namespace autopxe::server {

// Ascending by id.
absl::StatusOr<std::vector<NextBootUse>> LoadNextBootUses(Database& database);

// Adds those whose ids are not there yet, and deletes what is too much.
absl::Status WriteNextBootUses(Database& database, const std::vector<NextBootUse>& uses);

}  // namespace autopxe::server
