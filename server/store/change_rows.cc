#include "server/store/change_rows.h"

#include <utility>

#include "common/status/status_macros.h"
#include "server/sqlite/transaction.h"
#include "server/store/agent_setting_rows.h"
#include "server/store/damaged_row.h"
#include "server/store/declared_distro_rows.h"
#include "server/store/group_rows.h"
#include "server/store/host_rows.h"
#include "server/store/profile_rows.h"
#include "server/store/revision_rows.h"
#include "server/store/settings_rows.h"

namespace autopxe::server {

absl::StatusOr<std::shared_ptr<const Snapshot>> LoadSnapshot(Database& database) {
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(database));
  ASSIGN_OR_RETURN(Revision revision, LoadCurrentRevision(database));
  ASSIGN_OR_RETURN(Settings settings, LoadSettings(database));
  ASSIGN_OR_RETURN(std::vector<AgentSettings> agent_settings, LoadAgentSettings(database));
  ASSIGN_OR_RETURN(Snapshot::Groups groups, LoadGroups(database));
  ASSIGN_OR_RETURN(std::vector<Profile> profiles, LoadProfiles(database));
  ASSIGN_OR_RETURN(std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros,
                   LoadDeclaredDistros(database));
  ASSIGN_OR_RETURN(const std::vector<std::shared_ptr<const Host>> hosts, LoadHosts(database));
  absl::StatusOr<std::shared_ptr<const Snapshot>> snapshot =
      Snapshot::Create(std::move(revision), std::move(settings), std::move(profiles), hosts,
                       std::move(agent_settings), std::move(groups), std::move(declared_distros));
  if (!snapshot.ok()) return DamagedRow("host", snapshot.status());
  return snapshot;
}

absl::Status WriteChange(Database& database, const Snapshot& before, const Change& change,
                         absl::string_view request_digest) {
  // First: every other row refers to it.
  RETURN_IF_ERROR(InsertRevision(database, change.revision, request_digest));
  RETURN_IF_ERROR(WriteSettings(database, before, change));
  RETURN_IF_ERROR(WriteAgentSettings(database, before, change));
  RETURN_IF_ERROR(WriteGroups(database, before, change));
  RETURN_IF_ERROR(WriteProfiles(database, change));
  RETURN_IF_ERROR(WriteDeclaredDistros(database, change));
  return WriteHosts(database, before, change);
}

absl::StatusOr<absl::optional<std::vector<Change>>> LoadChangesSince(Database& database,
                                                                     const RevisionId& since,
                                                                     size_t at_most) {
  const absl::optional<std::vector<Change>> unknown;
  if (since.number <= 0) return unknown;
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(database));
  ASSIGN_OR_RETURN(const absl::optional<Revision> known, FindRevision(database, since.number));
  if (!known || known->id != since) return unknown;
  ASSIGN_OR_RETURN(const int64_t trimmed_to, LoadTrimmedTo(database));
  if (since.number < trimmed_to) return unknown;
  ASSIGN_OR_RETURN(const Revision current, LoadCurrentRevision(database));
  if (static_cast<size_t>(current.id.number - since.number) > at_most) return unknown;

  ASSIGN_OR_RETURN(ChangesByNumber changes, LoadRevisionsAfter(database, since));
  RETURN_IF_ERROR(AddSettingsChanges(database, since.number, changes));
  RETURN_IF_ERROR(AddAgentSettingsChanges(database, since.number, changes));
  RETURN_IF_ERROR(AddGroupChanges(database, since.number, changes));
  RETURN_IF_ERROR(AddProfileChanges(database, since.number, changes));
  RETURN_IF_ERROR(AddDeclaredDistroChanges(database, since.number, changes));
  RETURN_IF_ERROR(AddHostChanges(database, since.number, changes));
  std::vector<Change> in_order;
  in_order.reserve(changes.size());
  for (auto& [number, change] : changes) in_order.push_back(std::move(change));
  return absl::optional<std::vector<Change>>(std::move(in_order));
}

}  // namespace autopxe::server
