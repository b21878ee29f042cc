#include "server/store/next_boot_use_rows.h"

#include <string>
#include <utility>

#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {

absl::StatusOr<std::vector<NextBootUse>> LoadNextBootUses(Database& database) {
  ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT id, host_id, token, agent_id, time_us, distro "
                                             "FROM next_boot_use ORDER BY id"));
  std::vector<NextBootUse> uses;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return uses;
    absl::StatusOr<AgentId> agent = AgentId::Parse(rows.Text(3));
    if (!agent.ok()) return DamagedRow("next_boot_use", agent.status());
    uses.push_back({.agent = *std::move(agent),
                    .host = HostId{rows.Integer(1)},
                    .token = rows.Integer(2),
                    .time = absl::FromUnixMicros(rows.Integer(4)),
                    .distro = std::string(rows.Text(5)),
                    .id = rows.Integer(0)});
  }
}

absl::Status WriteNextBootUses(Database& database, const std::vector<NextBootUse>& uses) {
  if (uses.empty()) return absl::OkStatus();
  for (const NextBootUse& use : uses) {
    RETURN_IF_ERROR(database.Run(
        "INSERT OR IGNORE INTO next_boot_use (id, host_id, token, agent_id, time_us, distro) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        use.id, static_cast<int64_t>(use.host), use.token, use.agent.text(),
        absl::ToUnixMicros(use.time), use.distro));
  }
  return database.Run("DELETE FROM next_boot_use WHERE id <= ?1",
                      uses.back().id - static_cast<int64_t>(kMaxNextBootUses));
}

}  // namespace autopxe::server
