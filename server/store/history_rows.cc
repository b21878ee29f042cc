#include "server/store/history_rows.h"

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {
namespace {

// Every table with rows that end, and its primary key.
constexpr struct {
  const char* name;
  const char* key;
} kTables[] = {
    {"host", "id, valid_from"},
    {"host_mac", "host_id, mac, valid_from"},
    {"assignment", "host_id, valid_from"},
    {"timed_assignment", "host_id, valid_from"},
    {"next_boot", "host_id, valid_from"},
    {"host_label", "host_id, key, valid_from"},
    {"host_group", "name, valid_from"},
    {"profile", "name, valid_from"},
    {"declared_distro", "name, valid_from"},
    {"setting", "valid_from"},
    {"agent_setting", "agent_id, valid_from"},
    {"variable", "scope, scope_key, name, valid_from"},
};

}  // namespace

absl::StatusOr<bool> MoveHorizon(Database& database, absl::Time until, int at_most) {
  ASSIGN_OR_RETURN(const int64_t before, LoadTrimmedTo(database));
  int64_t horizon = before;
  {
    ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT number, time_us FROM revision "
                                               "WHERE number > ?1 ORDER BY number LIMIT ?2",
                                               before, at_most));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) break;
      // A clock that was ahead for a while must not keep what came later for ever: a revision is no
      // younger than those that follow it.
      if (rows.Integer(1) <= absl::ToUnixMicros(until)) horizon = rows.Integer(0);
    }
  }
  if (horizon == before) return false;
  RETURN_IF_ERROR(database.Run("UPDATE history SET trimmed_to = ?1", horizon));
  return true;
}

absl::StatusOr<int64_t> DeleteEndedRows(Database& database, int at_most) {
  int64_t deleted = 0;
  for (const auto& table : kTables) {
    RETURN_IF_ERROR(
        database.Run(absl::StrCat("DELETE FROM ", table.name, " WHERE (", table.key,
                                  ") IN (SELECT ", table.key, " FROM ", table.name,
                                  " WHERE valid_to <= (SELECT trimmed_to FROM history) LIMIT ?1)"),
                     at_most));
    ASSIGN_OR_RETURN(const int64_t count, database.QueryInteger("SELECT changes()"));
    deleted += count;
  }
  return deleted;
}

}  // namespace autopxe::server
