#include "server/store/host_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"

namespace autopxe::server {
namespace {

// Each host with its MACs and its assignment as of the revision at which its row begins, which are
// the current ones if the row is: a host has a new row with every change of these.
constexpr char kSelectHosts[] =
    "SELECT h.id, h.name, h.valid_from, a.distro, (SELECT group_concat(m.mac, ' ') FROM host_mac "
    "AS m WHERE m.host_id = h.id AND m.valid_from <= h.valid_from AND (m.valid_to IS NULL OR "
    "m.valid_to > h.valid_from)) FROM host AS h LEFT JOIN assignment AS a ON a.host_id = h.id AND "
    "a.valid_from <= h.valid_from AND (a.valid_to IS NULL OR a.valid_to > h.valid_from) ";

// In the order of kSelectHosts.
absl::StatusOr<std::shared_ptr<const Host>> ToHost(const Rows& rows) {
  absl::StatusOr<HostName> name = HostName::Parse(rows.Text(1));
  if (!name.ok()) return DamagedRow("host", name.status());
  Host host{.id = HostId{rows.Integer(0)},
            .name = *std::move(name),
            .macs = {},
            .distro = absl::nullopt,
            .etag = rows.Integer(2)};
  if (!rows.IsNull(3)) {
    absl::StatusOr<Distro> distro = Distro::Parse(rows.Text(3));
    if (!distro.ok()) return DamagedRow("assignment", distro.status());
    host.distro = *std::move(distro);
  }
  for (const absl::string_view text : absl::StrSplit(rows.Text(4), ' ', absl::SkipEmpty())) {
    const absl::StatusOr<MacAddress> mac = MacAddress::Parse(text);
    if (!mac.ok()) return DamagedRow("host_mac", mac.status());
    host.macs.push_back(*mac);
  }
  // group_concat promises no order.
  std::sort(host.macs.begin(), host.macs.end());
  return std::make_shared<const Host>(std::move(host));
}

bool HasMac(const Host* host, const MacAddress& mac) {
  return host != nullptr && std::binary_search(host->macs.begin(), host->macs.end(), mac);
}

// Ends the rows of `before` that do not hold for `after`, which is null if the host is gone.
absl::Status EndRows(Database& database, const Host& before, const Host* after, int64_t revision) {
  const int64_t id = static_cast<int64_t>(before.id);
  RETURN_IF_ERROR(database.Run("UPDATE host SET valid_to = ?1 WHERE id = ?2 AND valid_to IS NULL",
                               revision, id));
  for (const MacAddress& mac : before.macs) {
    if (HasMac(after, mac)) continue;
    RETURN_IF_ERROR(database.Run(
        "UPDATE host_mac SET valid_to = ?1 WHERE host_id = ?2 AND mac = ?3 AND valid_to IS NULL",
        revision, id, mac.Format()));
  }
  if (before.distro && (after == nullptr || after->distro != before.distro)) {
    RETURN_IF_ERROR(
        database.Run("UPDATE assignment SET valid_to = ?1 WHERE host_id = ?2 AND valid_to IS NULL",
                     revision, id));
  }
  return absl::OkStatus();
}

// Begins the rows of `after` that did not hold for `before`, which is null if the host is new.
absl::Status BeginRows(Database& database, const Host* before, const Host& after,
                       int64_t revision) {
  const int64_t id = static_cast<int64_t>(after.id);
  if (before == nullptr) {
    RETURN_IF_ERROR(database.Run("INSERT INTO host_identity (id) VALUES (?1)", id));
  }
  RETURN_IF_ERROR(database.Run("INSERT INTO host (id, name, valid_from) VALUES (?1, ?2, ?3)", id,
                               after.name.text(), revision));
  for (const MacAddress& mac : after.macs) {
    if (HasMac(before, mac)) continue;
    RETURN_IF_ERROR(
        database.Run("INSERT INTO host_mac (host_id, mac, valid_from) VALUES (?1, ?2, ?3)", id,
                     mac.Format(), revision));
  }
  if (after.distro && (before == nullptr || before->distro != after.distro)) {
    RETURN_IF_ERROR(
        database.Run("INSERT INTO assignment (host_id, distro, valid_from) VALUES (?1, ?2, ?3)", id,
                     after.distro->Format(), revision));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<std::shared_ptr<const Host>>> LoadHosts(Database& database) {
  ASSIGN_OR_RETURN(Rows rows, database.Query(absl::StrCat(
                                  kSelectHosts, "WHERE h.valid_to IS NULL ORDER BY h.id")));
  std::vector<std::shared_ptr<const Host>> hosts;
  while (true) {
    ASSIGN_OR_RETURN(const bool more, rows.Next());
    if (!more) return hosts;
    ASSIGN_OR_RETURN(std::shared_ptr<const Host> host, ToHost(rows));
    hosts.push_back(std::move(host));
  }
}

absl::StatusOr<HostId> LoadNextHostId(Database& database) {
  ASSIGN_OR_RETURN(const int64_t highest,
                   database.QueryInteger("SELECT coalesce(max(seq), 0) FROM sqlite_sequence "
                                         "WHERE name = 'host_identity'"));
  return HostId{highest + 1};
}

absl::Status WriteHosts(Database& database, const Snapshot& before, const Change& change) {
  const int64_t revision = change.revision.id.number;
  // Everything ends before anything begins: a name or a MAC can go from one host to another in one
  // change.
  for (const HostId id : change.deleted_hosts) {
    if (const auto host = before.FindHost(id); host != nullptr) {
      RETURN_IF_ERROR(EndRows(database, *host, nullptr, revision));
    }
  }
  for (const auto& after : change.hosts) {
    if (const auto host = before.FindHost(after->id); host != nullptr) {
      RETURN_IF_ERROR(EndRows(database, *host, after.get(), revision));
    }
  }
  for (const auto& after : change.hosts) {
    RETURN_IF_ERROR(BeginRows(database, before.FindHost(after->id).get(), *after, revision));
  }
  return absl::OkStatus();
}

absl::Status AddHostChanges(Database& database, int64_t after, ChangesByNumber& changes) {
  ASSIGN_OR_RETURN(
      Rows changed,
      database.Query(
          absl::StrCat(kSelectHosts, "WHERE h.valid_from > ?1 ORDER BY h.valid_from, h.id"),
          after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, changed.Next());
    if (!more) break;
    ASSIGN_OR_RETURN(std::shared_ptr<const Host> host, ToHost(changed));
    const int64_t revision = host->etag;
    changes.at(revision).hosts.push_back(std::move(host));
  }
  ASSIGN_OR_RETURN(Rows deleted,
                   database.Query("SELECT id, valid_to FROM host AS ended WHERE valid_to > ?1 AND "
                                  "NOT EXISTS (SELECT 1 FROM host AS next WHERE next.id = ended.id "
                                  "AND next.valid_from = ended.valid_to) ORDER BY valid_to, id",
                                  after));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, deleted.Next());
    if (!more) return absl::OkStatus();
    changes.at(deleted.Integer(1)).deleted_hosts.push_back(HostId{deleted.Integer(0)});
  }
}

}  // namespace autopxe::server
