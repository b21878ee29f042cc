#include "server/store/kernel_move_rows.h"

#include <string>
#include <utility>

#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {

absl::StatusOr<RecordedMoves> LoadKernelMoves(Database& database) {
  RecordedMoves moves;
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT id, time_us, agent_id, distro, release, kernel, "
                                  "version_before, version_after, hosts FROM kernel_move "
                                  "ORDER BY id"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return moves;
    absl::StatusOr<AgentId> agent = AgentId::Parse(rows.Text(2));
    if (!agent.ok()) return DamagedRow("kernel_move", agent.status());
    moves.push_back({.id = rows.Integer(0),
                     .time = absl::FromUnixMicros(rows.Integer(1)),
                     .agent = *std::move(agent),
                     .counted = {.move = {.distro = std::string(rows.Text(3)),
                                          .release = std::string(rows.Text(4)),
                                          .kernel = std::string(rows.Text(5)),
                                          .version_before = std::string(rows.Text(6)),
                                          .version_after = std::string(rows.Text(7))},
                                 .hosts = rows.Integer(8)}});
  }
}

absl::Status WriteKernelMoves(Database& database, const RecordedMoves& moves) {
  if (moves.empty()) return absl::OkStatus();
  for (const RecordedMove& recorded : moves) {
    const KernelMove& move = recorded.counted.move;
    RETURN_IF_ERROR(database.Run(
        "INSERT OR IGNORE INTO kernel_move (id, time_us, agent_id, distro, release, kernel, "
        "version_before, version_after, hosts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        recorded.id, absl::ToUnixMicros(recorded.time), recorded.agent.text(), move.distro,
        move.release, move.kernel, move.version_before, move.version_after,
        recorded.counted.hosts));
  }
  return database.Run("DELETE FROM kernel_move WHERE id <= ?1",
                      moves.back().id - static_cast<int64_t>(kMaxMoves));
}

}  // namespace autopxe::server
