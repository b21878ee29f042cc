#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/time/time.h"
#include "common/model/name.h"
#include "server/plan/counted_move.h"

namespace autopxe::server {

// A move that was written down.
struct RecordedMove {
  int64_t id;       // Higher than that of every move before.
  absl::Time time;  // When the server was told, by its clock.
  AgentId agent;
  CountedMove counted;

  friend bool operator==(const RecordedMove&, const RecordedMove&) = default;
};
using RecordedMoves = std::vector<RecordedMove>;  // Ascending by id.

// How many are kept: the newest.
inline constexpr size_t kMaxMoves = 1'000;

}  // namespace autopxe::server
