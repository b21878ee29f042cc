#include "server/store/group_rows.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/types/optional.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"
#include "server/store/variable_rows.h"

namespace autopxe::server {
namespace {

VariableScope ScopeOf(const GroupName& group) { return {.scope = "group", .key = group.text()}; }

absl::StatusOr<GroupName> ToName(absl::string_view text) {
  absl::StatusOr<GroupName> name = GroupName::Parse(text);
  if (!name.ok()) return DamagedRow("host_group", name.status());
  return name;
}

// In the order of: name, selector, priority, distro, valid_from.
absl::StatusOr<std::shared_ptr<const Group>> ToGroup(Database& database, const Rows& rows) {
  ASSIGN_OR_RETURN(GroupName name, ToName(rows.Text(0)));
  absl::StatusOr<Selector> selector = Selector::Parse(rows.Text(1));
  if (!selector.ok()) return DamagedRow("host_group", selector.status());
  const int64_t priority = rows.Integer(2);
  if (priority < kMinGroupPriority || priority > kMaxGroupPriority) {
    return DamagedRow("host_group", absl::OutOfRangeError("its priority is out of range"));
  }
  Group group{.name = std::move(name),
              .selector = *std::move(selector),
              .priority = static_cast<int32_t>(priority),
              .etag = rows.Integer(4)};
  if (!rows.IsNull(3)) {
    absl::StatusOr<Distro> distro = Distro::Parse(rows.Text(3));
    if (!distro.ok()) return DamagedRow("host_group", distro.status());
    group.distro = *std::move(distro);
  }
  ASSIGN_OR_RETURN(group.variables, LoadVariables(database, ScopeOf(group.name), group.etag));
  return std::make_shared<const Group>(std::move(group));
}

absl::Status EndGroup(Database& database, const GroupName& name, int64_t revision) {
  return database.Run("UPDATE host_group SET valid_to = ?1 WHERE name = ?2 AND valid_to IS NULL",
                      revision, name.text());
}

// The step of a group's variables from those in `before`.
absl::Status WriteVariablesOf(Database& database, const Snapshot& before, const GroupName& name,
                              const Variables& after, int64_t revision) {
  const std::shared_ptr<const Group> old = before.FindGroup(name);
  return WriteVariables(database, ScopeOf(name), old == nullptr ? Variables{} : old->variables,
                        after, revision);
}

}  // namespace

absl::StatusOr<Snapshot::Groups> LoadGroups(Database& database) {
  ASSIGN_OR_RETURN(Rows rows,
                   database.Query("SELECT name, selector, priority, distro, valid_from FROM "
                                  "host_group WHERE valid_to IS NULL ORDER BY name"));
  Snapshot::Groups groups;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return groups;
    ASSIGN_OR_RETURN(std::shared_ptr<const Group> group, ToGroup(database, rows));
    groups.push_back(std::move(group));
  }
}

absl::Status WriteGroups(Database& database, const Snapshot& before, const Change& change) {
  const int64_t revision = change.revision.id.number;
  for (const GroupName& name : change.deleted_groups) {
    RETURN_IF_ERROR(EndGroup(database, name, revision));
    RETURN_IF_ERROR(WriteVariablesOf(database, before, name, {}, revision));
  }
  for (const std::shared_ptr<const Group>& group : change.groups) {
    absl::optional<std::string> distro;
    if (group->distro.has_value()) distro = group->distro->Format();
    RETURN_IF_ERROR(EndGroup(database, group->name, revision));
    RETURN_IF_ERROR(
        database.Run("INSERT INTO host_group (name, selector, priority, distro, valid_from) "
                     "VALUES (?1, ?2, ?3, ?4, ?5)",
                     group->name.text(), group->selector.text(),
                     static_cast<int64_t>(group->priority), distro, revision));
    RETURN_IF_ERROR(WriteVariablesOf(database, before, group->name, group->variables, revision));
  }
  return absl::OkStatus();
}

absl::Status AddGroupChanges(Database& database, int64_t after, ChangesByNumber& changes) {
  ASSIGN_OR_RETURN(Rows changed,
                   database.Query("SELECT name, selector, priority, distro, valid_from FROM "
                                  "host_group WHERE valid_from > ?1 ORDER BY valid_from, name",
                                  after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, changed.Next());
    if (!more) break;
    ASSIGN_OR_RETURN(std::shared_ptr<const Group> group, ToGroup(database, changed));
    const int64_t revision = group->etag;
    changes.at(revision).groups.push_back(std::move(group));
  }
  ASSIGN_OR_RETURN(Rows deleted,
                   database.Query("SELECT name, valid_to FROM host_group AS ended "
                                  "WHERE valid_to > ?1 AND NOT EXISTS (SELECT 1 FROM host_group AS "
                                  "next WHERE next.name = ended.name AND "
                                  "next.valid_from = ended.valid_to) ORDER BY valid_to, name",
                                  after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, deleted.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(GroupName name, ToName(deleted.Text(0)));
    changes.at(deleted.Integer(1)).deleted_groups.push_back(std::move(name));
  }
}

absl::Status AddGroupStep(Database& database, const std::string& only, ConfigurationStep& step) {
  const int64_t revision = step.change.revision.id.number;
  {
    ASSIGN_OR_RETURN(Rows begun, database.Query("SELECT name, selector, priority, distro, "
                                                "valid_from FROM host_group WHERE valid_from = ?1 "
                                                "AND (?2 = '' OR name = ?2) ORDER BY name",
                                                revision, only));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, begun.Next());
      if (!more) break;
      ASSIGN_OR_RETURN(auto one, ToGroup(database, begun));
      step.change.groups.push_back(std::move(one));
    }
  }
  ASSIGN_OR_RETURN(
      Rows ended,
      database.Query(
          "SELECT name, selector, priority, distro, valid_from FROM host_group WHERE valid_to = ?1 "
          "AND (?2 = '' OR name = ?2) ORDER BY name",
          revision, only));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, ended.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(auto one, ToGroup(database, ended));
    const bool is_kept = std::any_of(step.change.groups.begin(), step.change.groups.end(),
                                     [&](const auto& now) { return now->name == one->name; });
    if (!is_kept) step.change.deleted_groups.push_back(one->name);
    step.groups.push_back(std::move(one));
  }
}

}  // namespace autopxe::server
