#include "server/store/agent_rows.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/model/architecture.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {
namespace {

using CatalogsInMaking = std::map<AgentId, std::shared_ptr<Catalog>>;

std::string ToText(const absl::optional<IpEndpoint>& endpoint) {
  return endpoint ? endpoint->Format() : "";
}

absl::optional<int64_t> ToMicroseconds(const absl::optional<absl::Duration>& duration) {
  if (!duration.has_value()) return absl::nullopt;
  return absl::ToInt64Microseconds(*duration);
}

absl::StatusOr<absl::optional<IpEndpoint>> ToEndpoint(absl::string_view text) {
  if (text.empty()) return absl::optional<IpEndpoint>();
  const absl::StatusOr<IpEndpoint> endpoint = IpEndpoint::Parse(text);
  if (!endpoint.ok()) return DamagedRow("agent", endpoint.status());
  return absl::optional<IpEndpoint>(*endpoint);
}

absl::StatusOr<AgentId> ToAgentId(absl::string_view table, absl::string_view text) {
  absl::StatusOr<AgentId> id = AgentId::Parse(text);
  if (!id.ok()) return DamagedRow(table, id.status());
  return id;
}

absl::Status LoadStatuses(Database& database, AgentReports& reports) {
  ASSIGN_OR_RETURN(
      Rows rows, database.Query("SELECT id, last_seen_us, applied_number, applied_tag, version, "
                                "instance, start_time_us, http_address, tftp_address, view_age_us, "
                                "problems, rootfs_folder, advertise FROM agent"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(const AgentId id, ToAgentId("agent", rows.Text(0)));
    absl::StatusOr<AgentInstance> instance = AgentInstance::Parse(rows.Text(5));
    if (!instance.ok()) return DamagedRow("agent", instance.status());
    AgentStatus status{
        .instance = *std::move(instance),
        .applied = {.number = rows.Integer(2), .tag = static_cast<uint64_t>(rows.Integer(3))},
        .version = std::string(rows.Text(4)),
        .start_time = absl::FromUnixMicros(rows.Integer(6)),
        .http_address = absl::nullopt,
        .tftp_address = absl::nullopt};
    ASSIGN_OR_RETURN(status.http_address, ToEndpoint(rows.Text(7)));
    ASSIGN_OR_RETURN(status.tftp_address, ToEndpoint(rows.Text(8)));
    if (!rows.IsNull(9)) status.view_age = absl::Microseconds(rows.Integer(9));
    status.problems = absl::StrSplit(rows.Text(10), '\n', absl::SkipEmpty());
    status.rootfs_folder = std::string(rows.Text(11));
    if (!rows.Text(12).empty()) {
      const absl::StatusOr<IpAddress> advertise = IpAddress::Parse(rows.Text(12));
      if (!advertise.ok()) return DamagedRow("agent", advertise.status());
      status.advertise = *advertise;
    }
    AgentReport& report = reports[id];
    report.status = std::move(status);
    report.last_seen = absl::FromUnixMicros(rows.Integer(1));
  }
}

// Makes an empty catalog for every agent that has reported one.
absl::StatusOr<CatalogsInMaking> LoadCatalogOwners(Database& database) {
  CatalogsInMaking catalogs;
  ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT agent_id FROM agent_catalog"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return catalogs;
    ASSIGN_OR_RETURN(AgentId id, ToAgentId("agent_catalog", rows.Text(0)));
    catalogs.emplace(std::move(id), std::make_shared<Catalog>());
  }
}

// The rows of each release with its kernels follow each other: the joins below keep to the primary
// keys' order.
absl::Status LoadReleases(Database& database, CatalogsInMaking& catalogs) {
  ASSIGN_OR_RETURN(
      Rows rows,
      database.Query(
          "SELECT r.agent_id, r.distro, r.name, r.alias_of, k.name, k.version, k.kernel_path, "
          "k.initrd_path, k.architecture, k.kernel_size, k.initrd_size FROM agent_release AS r "
          "LEFT JOIN agent_kernel AS k ON k.agent_id = "
          "r.agent_id AND k.distro = r.distro AND k.release = r.name "
          "ORDER BY r.agent_id, r.distro, r.name, k.position"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(const AgentId id, ToAgentId("agent_release", rows.Text(0)));
    std::vector<CatalogDistro>& distros = catalogs.at(id)->distros;
    if (distros.empty() || distros.back().name != rows.Text(1)) {
      distros.push_back({.name = std::string(rows.Text(1)), .releases = {}});
    }
    std::vector<CatalogRelease>& releases = distros.back().releases;
    if (releases.empty() || releases.back().name != rows.Text(2)) {
      releases.push_back({.name = std::string(rows.Text(2)),
                          .alias_of = std::string(rows.Text(3)),
                          .kernels = {}});
    }
    if (rows.IsNull(4)) continue;
    releases.back().kernels.push_back(
        {.name = std::string(rows.Text(4)),
         .version = std::string(rows.Text(5)),
         .kernel_path = std::string(rows.Text(6)),
         .initrd_path = std::string(rows.Text(7)),
         .architecture = ParseArchitecture(rows.Text(8)).value_or(Architecture::kUnknown),
         .kernel_size = rows.Integer(9),
         .initrd_size = rows.Integer(10)});
  }
}

absl::Status LoadLoaders(Database& database, CatalogsInMaking& catalogs) {
  ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT agent_id, name FROM agent_loader "
                                             "ORDER BY agent_id, name"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(const AgentId id, ToAgentId("agent_loader", rows.Text(0)));
    catalogs.at(id)->loaders.push_back(std::string(rows.Text(1)));
  }
}

absl::Status LoadFiles(Database& database, CatalogsInMaking& catalogs) {
  ASSIGN_OR_RETURN(Rows rows, database.Query("SELECT agent_id, path, size FROM agent_file "
                                             "ORDER BY agent_id, path"));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return absl::OkStatus();
    ASSIGN_OR_RETURN(const AgentId id, ToAgentId("agent_file", rows.Text(0)));
    catalogs.at(id)->files.push_back({std::string(rows.Text(1)), rows.Integer(2)});
  }
}

absl::Status WriteRelease(Database& database, const AgentId& id, const std::string& distro,
                          const CatalogRelease& release) {
  RETURN_IF_ERROR(
      database.Run("INSERT OR IGNORE INTO agent_release (agent_id, distro, name, alias_of) "
                   "VALUES (?1, ?2, ?3, ?4)",
                   id.text(), distro, release.name, release.alias_of));
  int position = 0;
  for (const CatalogKernel& kernel : release.kernels) {
    RETURN_IF_ERROR(database.Run(
        "INSERT OR IGNORE INTO agent_kernel (agent_id, distro, release, position, name, version, "
        "kernel_path, initrd_path, architecture, kernel_size, initrd_size) VALUES (?1, ?2, ?3, ?4, "
        "?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        id.text(), distro, release.name, position++, kernel.name, kernel.version,
        kernel.kernel_path, kernel.initrd_path,
        std::string(FormatArchitecture(kernel.architecture)), kernel.kernel_size,
        kernel.initrd_size));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<AgentReports> LoadAgentReports(Database& database) {
  AgentReports reports;
  RETURN_IF_ERROR(LoadStatuses(database, reports));
  ASSIGN_OR_RETURN(CatalogsInMaking catalogs, LoadCatalogOwners(database));
  RETURN_IF_ERROR(LoadReleases(database, catalogs));
  RETURN_IF_ERROR(LoadLoaders(database, catalogs));
  RETURN_IF_ERROR(LoadFiles(database, catalogs));
  for (auto& [id, catalog] : catalogs) reports[id].catalog = std::move(catalog);
  return reports;
}

absl::Status WriteAgentStatus(Database& database, const AgentId& id, const AgentStatus& status,
                              absl::Time last_seen) {
  return database.Run(
      "INSERT OR REPLACE INTO agent (id, last_seen_us, applied_number, applied_tag, version, "
      "instance, start_time_us, http_address, tftp_address, view_age_us, problems, rootfs_folder, "
      "advertise) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
      id.text(), absl::ToUnixMicros(last_seen), status.applied.number, status.applied.tag,
      status.version, status.instance.text(), absl::ToUnixMicros(status.start_time),
      ToText(status.http_address), ToText(status.tftp_address), ToMicroseconds(status.view_age),
      absl::StrJoin(status.problems, "\n"), status.rootfs_folder,
      status.advertise.has_value() ? status.advertise->Format() : "");
}

absl::Status DeleteAgentReport(Database& database, const AgentId& id) {
  RETURN_IF_ERROR(database.Run("DELETE FROM agent WHERE id = ?1", id.text()));
  return database.Run("DELETE FROM agent_catalog WHERE agent_id = ?1", id.text());
}

absl::Status WriteAgentCatalog(Database& database, const AgentId& id, const Catalog& catalog) {
  RETURN_IF_ERROR(database.Run("DELETE FROM agent_catalog WHERE agent_id = ?1", id.text()));
  RETURN_IF_ERROR(database.Run("INSERT INTO agent_catalog (agent_id) VALUES (?1)", id.text()));
  for (const CatalogDistro& distro : catalog.distros) {
    for (const CatalogRelease& release : distro.releases) {
      RETURN_IF_ERROR(WriteRelease(database, id, distro.name, release));
    }
  }
  for (const std::string& loader : catalog.loaders) {
    RETURN_IF_ERROR(database.Run(
        "INSERT OR IGNORE INTO agent_loader (agent_id, name) VALUES (?1, ?2)", id.text(), loader));
  }
  for (const CatalogFile& file : catalog.files) {
    RETURN_IF_ERROR(
        database.Run("INSERT OR IGNORE INTO agent_file (agent_id, path, size) VALUES (?1, ?2, ?3)",
                     id.text(), file.path, file.size));
  }
  return absl::OkStatus();
}

}  // namespace autopxe::server
