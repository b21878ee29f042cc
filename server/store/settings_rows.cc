#include "server/store/settings_rows.h"

#include <utility>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"
#include "server/store/variable_rows.h"

namespace autopxe::server {
namespace {

constexpr VariableScope kGlobal = {.scope = "global", .key = ""};

absl::StatusOr<absl::optional<Distro>> ToDistro(const Rows& rows, int column) {
  if (rows.IsNull(column)) return absl::optional<Distro>();
  absl::StatusOr<Distro> distro = Distro::Parse(rows.Text(column));
  if (!distro.ok()) return DamagedRow("setting", distro.status());
  return absl::optional<Distro>(*std::move(distro));
}

absl::optional<std::string> ToText(const absl::optional<Distro>& distro) {
  if (!distro) return absl::nullopt;
  return distro->Format();
}

// In the order of: default_distro, unknown_hosts, menu_timeout_s, rootfs_path_prefix, valid_from.
absl::StatusOr<Settings> ToSettings(Database& database, const Rows& rows) {
  Settings settings;
  ASSIGN_OR_RETURN(settings.default_distro, ToDistro(rows, 0));
  ASSIGN_OR_RETURN(settings.unknown_hosts, ToDistro(rows, 1));
  settings.menu_timeout = absl::Seconds(rows.Integer(2));
  if (!rows.IsNull(3)) {
    absl::StatusOr<RootfsPathPrefix> prefix = RootfsPathPrefix::Parse(rows.Text(3));
    if (!prefix.ok()) return DamagedRow("setting", prefix.status());
    settings.rootfs_path_prefix = *std::move(prefix);
  }
  settings.etag = rows.Integer(4);
  ASSIGN_OR_RETURN(settings.variables, LoadVariables(database, kGlobal, settings.etag));
  return settings;
}

}  // namespace

absl::StatusOr<Settings> LoadSettings(Database& database) {
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query("SELECT default_distro, unknown_hosts, menu_timeout_s, rootfs_path_prefix, "
                     "valid_from FROM setting WHERE valid_to IS NULL"));
  ASSIGN_OR_RETURN(const bool found, rows.Next());
  if (!found) return Settings{};
  return ToSettings(database, rows);
}

absl::Status WriteSettings(Database& database, const Snapshot& before, const Change& change) {
  if (!change.settings) return absl::OkStatus();
  const Settings& after = *change.settings;
  const int64_t revision = change.revision.id.number;
  RETURN_IF_ERROR(
      database.Run("UPDATE setting SET valid_to = ?1 WHERE valid_to IS NULL", revision));
  absl::optional<std::string> prefix;
  if (after.rootfs_path_prefix) prefix = after.rootfs_path_prefix->text();
  RETURN_IF_ERROR(database.Run(
      "INSERT INTO setting (default_distro, unknown_hosts, menu_timeout_s, rootfs_path_prefix, "
      "valid_from) VALUES (?1, ?2, ?3, ?4, ?5)",
      ToText(after.default_distro), ToText(after.unknown_hosts),
      absl::ToInt64Seconds(after.menu_timeout), prefix, revision));
  return WriteVariables(database, kGlobal, before.settings().variables, after.variables, revision);
}

absl::Status AddSettingsChanges(Database& database, int64_t after, ChangesByNumber& changes) {
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query("SELECT default_distro, unknown_hosts, menu_timeout_s, rootfs_path_prefix, "
                     "valid_from FROM setting WHERE valid_from > ?1",
                     after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(Settings settings, ToSettings(database, rows));
    const int64_t revision = settings.etag;
    changes.at(revision).settings = std::move(settings);
  }
}

absl::Status AddSettingsStep(Database& database, ConfigurationStep& step) {
  const int64_t revision = step.change.revision.id.number;
  {
    ASSIGN_OR_RETURN(
        Rows begun,
        database.Query("SELECT default_distro, unknown_hosts, menu_timeout_s, rootfs_path_prefix, "
                       "valid_from FROM setting WHERE valid_from = ?1",
                       revision));
    ASSIGN_OR_RETURN(const bool found, begun.Next());
    if (!found) return absl::OkStatus();
    ASSIGN_OR_RETURN(step.change.settings, ToSettings(database, begun));
  }
  ASSIGN_OR_RETURN(
      Rows ended,
      database.Query("SELECT default_distro, unknown_hosts, menu_timeout_s, rootfs_path_prefix, "
                     "valid_from FROM setting WHERE valid_to = ?1",
                     revision));
  ASSIGN_OR_RETURN(const bool found, ended.Next());
  if (!found) return absl::OkStatus();
  ASSIGN_OR_RETURN(step.settings, ToSettings(database, ended));
  return absl::OkStatus();
}

}  // namespace autopxe::server
