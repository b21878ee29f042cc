#include "server/store/variable_rows.h"

#include <utility>

#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {

absl::StatusOr<Variables> LoadVariables(Database& database, const VariableScope& scope,
                                        int64_t revision) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT name, value FROM variable WHERE scope = ?1 AND "
                                  "scope_key = ?2 AND valid_from <= ?3 AND "
                                  "(valid_to IS NULL OR valid_to > ?3)",
                                  scope.scope, scope.key, revision));
  Variables variables;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return variables;
    absl::StatusOr<VariableName> name = VariableName::Parse(rows.Text(0));
    if (!name.ok()) return DamagedRow("variable", name.status());
    absl::StatusOr<VariableValue> value = VariableValue::Parse(rows.Text(1));
    if (!value.ok()) return DamagedRow("variable", value.status());
    variables.emplace(*std::move(name), *std::move(value));
  }
}

absl::Status WriteVariables(Database& database, const VariableScope& scope, const Variables& before,
                            const Variables& after, int64_t revision) {
  for (const auto& [name, value] : before) {
    const auto kept = after.find(name);
    if (kept != after.end() && kept->second == value) continue;
    RETURN_IF_ERROR(
        database.Run("UPDATE variable SET valid_to = ?1 WHERE scope = ?2 AND "
                     "scope_key = ?3 AND name = ?4 AND valid_to IS NULL",
                     revision, scope.scope, scope.key, name.text()));
  }
  for (const auto& [name, value] : after) {
    const auto old = before.find(name);
    if (old != before.end() && old->second == value) continue;
    RETURN_IF_ERROR(
        database.Run("INSERT INTO variable (scope, scope_key, name, value, valid_from) "
                     "VALUES (?1, ?2, ?3, ?4, ?5)",
                     scope.scope, scope.key, name.text(), value.text(), revision));
  }
  return absl::OkStatus();
}

}  // namespace autopxe::server
