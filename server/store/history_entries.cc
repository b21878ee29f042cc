#include "server/store/history_entries.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "server/sqlite/transaction.h"
#include "server/store/agent_setting_rows.h"
#include "server/store/configuration_step.h"
#include "server/store/damaged_row.h"
#include "server/store/declared_distro_rows.h"
#include "server/store/group_rows.h"
#include "server/store/host_rows.h"
#include "server/store/profile_rows.h"
#include "server/store/revision_rows.h"
#include "server/store/settings_rows.h"

namespace autopxe::server {
namespace {

using Kind = HistoryFilter::Kind;

// Where the rows of a kind are, and what names them.
struct Table {
  const char* name;
  const char* key;
};

Table TableOf(Kind kind) {
  switch (kind) {
    case Kind::kHost:
      return {"host", "id"};
    case Kind::kGroup:
      return {"host_group", "name"};
    case Kind::kProfile:
      return {"profile", "name"};
    case Kind::kDistro:
      return {"declared_distro", "name"};
    case Kind::kAgent:
      return {"agent_setting", "agent_id"};
    case Kind::kSettings:
      return {"setting", ""};
    case Kind::kAll:
      break;
  }
  return {"", ""};
}

// The hosts that were ever called so: one after the other, several may have been. In two parts,
// since rows that hold and rows that have ended have an index each.
absl::StatusOr<std::vector<HostId>> FindHostIds(Database& database,
                                                const HostReference& reference) {
  const bool is_mac = std::holds_alternative<MacAddress>(reference);
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query(
          is_mac ? "SELECT host_id FROM host_mac WHERE mac = ?1 AND valid_to IS NULL UNION "
                   "SELECT host_id FROM host_mac WHERE mac = ?1 AND valid_to IS NOT NULL ORDER BY 1"
                 : "SELECT id FROM host WHERE name = ?1 AND valid_to IS NULL UNION "
                   "SELECT id FROM host WHERE name = ?1 AND valid_to IS NOT NULL ORDER BY 1",
          FormatHostReference(reference)));
  std::vector<HostId> ids;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return ids;
    ids.push_back(HostId{rows.Integer(0)});
  }
}

// When rows of one thing began and ended.
template <typename Key>
absl::Status AddTurns(Database& database, const Table& table, const Key& key,
                      std::set<int64_t, std::greater<>>& turns, int64_t& first) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query(absl::StrCat("SELECT valid_from, valid_to FROM ", table.name,
                                               " WHERE ", table.key, " = ?1"),
                                  key));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    turns.insert(rows.Integer(0));
    first = std::min(first, rows.Integer(0));
    if (!rows.IsNull(1)) turns.insert(rows.Integer(1));
  }
}

// Of one thing, which `filter` names.
absl::StatusOr<HistoryRevisions> FindOfOne(Database& database, const HistoryFilter& filter,
                                           int64_t before, size_t at_most, int64_t trimmed_to) {
  std::set<int64_t, std::greater<>> turns;
  int64_t first = before;
  const Table table = TableOf(filter.kind);
  if (filter.host.has_value()) {
    ASSIGN_OR_RETURN(const std::vector<HostId> ids, FindHostIds(database, *filter.host));
    for (const HostId id : ids) {
      RETURN_IF_ERROR(AddTurns(database, table, static_cast<int64_t>(id), turns, first));
    }
  } else {
    RETURN_IF_ERROR(AddTurns(database, table, filter.name, turns, first));
  }
  HistoryRevisions found;
  // All rows of what is gone may have been deleted.
  found.trimmed = trimmed_to > 0 && (turns.empty() || first <= trimmed_to);
  for (const int64_t turn : turns) {
    if (turn >= before || turn <= trimmed_to) continue;
    if (found.numbers.size() == at_most) break;
    found.numbers.push_back(turn);
  }
  return found;
}

absl::StatusOr<HistoryRevisions> FindOfAll(Database& database, Kind kind, int64_t before,
                                           size_t at_most, int64_t trimmed_to) {
  const char* const table = TableOf(kind).name;
  const std::string touched =
      kind == Kind::kAll ? ""
                         : absl::StrCat("AND (EXISTS (SELECT 1 FROM ", table,
                                        " WHERE valid_from = r.number) OR EXISTS (SELECT 1 FROM ",
                                        table, " WHERE valid_to = r.number)) ");
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query(absl::StrCat("SELECT number FROM revision AS r WHERE number < ?1 AND "
                                  "number > ?2 ",
                                  touched, "ORDER BY number DESC LIMIT ?3"),
                     before, trimmed_to, static_cast<int64_t>(at_most)));
  HistoryRevisions found;
  found.trimmed = trimmed_to > 0;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return found;
    found.numbers.push_back(rows.Integer(0));
  }
}

absl::Status LoadStep(Database& database, const HistoryFilter& filter, ConfigurationStep& step) {
  const auto wanted = [&](Kind kind) { return filter.kind == Kind::kAll || filter.kind == kind; };
  if (wanted(Kind::kSettings)) RETURN_IF_ERROR(AddSettingsStep(database, step));
  if (wanted(Kind::kAgent)) RETURN_IF_ERROR(AddAgentSettingsStep(database, filter.name, step));
  if (wanted(Kind::kGroup)) RETURN_IF_ERROR(AddGroupStep(database, filter.name, step));
  if (wanted(Kind::kProfile)) RETURN_IF_ERROR(AddProfileStep(database, filter.name, step));
  if (wanted(Kind::kDistro)) RETURN_IF_ERROR(AddDeclaredDistroStep(database, filter.name, step));
  if (!wanted(Kind::kHost)) return absl::OkStatus();
  if (!filter.host.has_value()) return AddHostStep(database, absl::nullopt, step);
  ASSIGN_OR_RETURN(const std::vector<HostId> ids, FindHostIds(database, *filter.host));
  for (const HostId id : ids) RETURN_IF_ERROR(AddHostStep(database, id, step));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<HistoryRevisions> FindHistoryRevisions(Database& database,
                                                      const HistoryFilter& filter, int64_t before,
                                                      size_t at_most) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(database));
  ASSIGN_OR_RETURN(const int64_t trimmed_to, LoadTrimmedTo(database));
  if (filter.host.has_value() || !filter.name.empty()) {
    return FindOfOne(database, filter, before, at_most, trimmed_to);
  }
  return FindOfAll(database, filter.kind, before, at_most, trimmed_to);
}

absl::StatusOr<absl::optional<HistoryEntry>> LoadHistoryEntry(Database& database,
                                                              const HistoryFilter& filter,
                                                              int64_t number) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(database));
  ASSIGN_OR_RETURN(const int64_t trimmed_to, LoadTrimmedTo(database));
  if (number <= trimmed_to) return absl::optional<HistoryEntry>();
  ASSIGN_OR_RETURN(absl::optional<Revision> revision, FindRevision(database, number));
  if (!revision.has_value()) return absl::optional<HistoryEntry>();
  ConfigurationStep step;
  step.change.revision = *revision;
  step.change.base.number = number - 1;
  RETURN_IF_ERROR(LoadStep(database, filter, step));
  Revision base;
  base.id = step.change.base;
  const absl::StatusOr<std::shared_ptr<const Snapshot>> before = Snapshot::Create(
      std::move(base), std::move(step.settings), std::move(step.profiles), step.hosts,
      std::move(step.agent_settings), std::move(step.groups), std::move(step.declared_distros));
  if (!before.ok()) return DamagedRow("host", before.status());
  return absl::optional<HistoryEntry>(HistoryEntry{.revision = *std::move(revision),
                                                   .differences = Compare(**before, step.change)});
}

}  // namespace autopxe::server
