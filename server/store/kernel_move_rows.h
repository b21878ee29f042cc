#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/sqlite/database.h"
#include "server/store/recorded_move.h"

namespace autopxe::server {

absl::StatusOr<RecordedMoves> LoadKernelMoves(Database& database);

// Adds those whose ids are not there yet, and deletes what is too much.
absl::Status WriteKernelMoves(Database& database, const RecordedMoves& moves);

}  // namespace autopxe::server
