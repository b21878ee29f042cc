#include "server/store/host_rows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/status/status_macros.h"
#include "server/store/damaged_row.h"
#include "server/store/variable_rows.h"

namespace autopxe::server {
namespace {

// Each host with its MACs, labels, variables and assignments as of the revision at which its row
// begins, which are the current ones if the row is: a host has a new row with every change of
// these. Between names and values, and between elements, stands what neither can hold.
#define AUTOPXE_HELD_THEN(t) \
  t ".valid_from <= h.valid_from AND (" t ".valid_to IS NULL OR " t ".valid_to > h.valid_from)"
constexpr char kSelectHosts[] =
    "SELECT h.id, h.name, h.valid_from, h.note, h.locked, a.distro, t.distro, t.until_us, "
    "n.distro, n.token, "
    "(SELECT group_concat(m.mac, ' ') FROM host_mac AS m WHERE m.host_id = h.id AND "
    AUTOPXE_HELD_THEN("m") "), "
    "(SELECT group_concat(l.key || '=' || l.value, ' ') FROM host_label AS l WHERE l.host_id = h.id "
    "AND " AUTOPXE_HELD_THEN("l") "), "
    "(SELECT group_concat(v.name || '=' || v.value, char(10)) FROM variable AS v WHERE "
    "v.scope = 'host' AND v.scope_key = CAST(h.id AS TEXT) AND " AUTOPXE_HELD_THEN("v") ") "
    "FROM host AS h "
    "LEFT JOIN assignment AS a ON a.host_id = h.id AND " AUTOPXE_HELD_THEN("a") " "
    "LEFT JOIN timed_assignment AS t ON t.host_id = h.id AND " AUTOPXE_HELD_THEN("t") " "
    "LEFT JOIN next_boot AS n ON n.host_id = h.id AND " AUTOPXE_HELD_THEN("n") " ";
#undef AUTOPXE_HELD_THEN

absl::StatusOr<Distro> ToDistro(absl::string_view table, absl::string_view text) {
  absl::StatusOr<Distro> distro = Distro::Parse(text);
  if (!distro.ok()) return DamagedRow(table, distro.status());
  return distro;
}

// Of "name=value" elements.
template <typename Map>
absl::Status ToMap(absl::string_view table, absl::string_view text, char separator, Map& map) {
  for (const absl::string_view element : absl::StrSplit(text, separator, absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(element, absl::MaxSplits('=', 1));
    auto name = Map::key_type::Parse(parts.first);
    if (!name.ok()) return DamagedRow(table, name.status());
    auto value = Map::mapped_type::Parse(parts.second);
    if (!value.ok()) return DamagedRow(table, value.status());
    map.emplace(*std::move(name), *std::move(value));
  }
  return absl::OkStatus();
}

// In the order of kSelectHosts.
absl::StatusOr<std::shared_ptr<const Host>> ToHost(const Rows& rows) {
  absl::StatusOr<HostName> name = HostName::Parse(rows.Text(1));
  if (!name.ok()) return DamagedRow("host", name.status());
  absl::StatusOr<Note> note = Note::Parse(rows.Text(3));
  if (!note.ok()) return DamagedRow("host", note.status());
  Host host{.id = HostId{rows.Integer(0)},
            .name = *std::move(name),
            .macs = {},
            .note = *std::move(note),
            .locked = rows.Integer(4) != 0,
            .etag = rows.Integer(2)};
  if (!rows.IsNull(5)) {
    ASSIGN_OR_RETURN(host.distro, ToDistro("assignment", rows.Text(5)));
  }
  if (!rows.IsNull(6)) {
    ASSIGN_OR_RETURN(Distro distro, ToDistro("timed_assignment", rows.Text(6)));
    host.timed = TimedAssignment{.distro = std::move(distro),
                                 .until = absl::FromUnixMicros(rows.Integer(7))};
  }
  if (!rows.IsNull(8)) {
    ASSIGN_OR_RETURN(Distro distro, ToDistro("next_boot", rows.Text(8)));
    host.next = NextBoot{.distro = std::move(distro), .token = rows.Integer(9)};
  }
  for (const absl::string_view text : absl::StrSplit(rows.Text(10), ' ', absl::SkipEmpty())) {
    const absl::StatusOr<MacAddress> mac = MacAddress::Parse(text);
    if (!mac.ok()) return DamagedRow("host_mac", mac.status());
    host.macs.push_back(*mac);
  }
  // group_concat promises no order.
  std::sort(host.macs.begin(), host.macs.end());
  RETURN_IF_ERROR(ToMap("host_label", rows.Text(11), ' ', host.labels));
  RETURN_IF_ERROR(ToMap("variable", rows.Text(12), '\n', host.variables));
  return std::make_shared<const Host>(std::move(host));
}

bool HasMac(const Host* host, const MacAddress& mac) {
  return host != nullptr && std::binary_search(host->macs.begin(), host->macs.end(), mac);
}

bool HasLabel(const Host* host, const LabelKey& key, const LabelValue& value) {
  if (host == nullptr) return false;
  const auto found = host->labels.find(key);
  return found != host->labels.end() && found->second == value;
}

// The step of a host's variables; either may be null.
absl::Status WriteVariablesOf(Database& database, const Host* before, const Host* after,
                              int64_t revision) {
  const std::string key =
      absl::StrCat(static_cast<int64_t>(before != nullptr ? before->id : after->id));
  return WriteVariables(database, {.scope = "host", .key = key},
                        before == nullptr ? Variables{} : before->variables,
                        after == nullptr ? Variables{} : after->variables, revision);
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
  if (before.timed && (after == nullptr || after->timed != before.timed)) {
    RETURN_IF_ERROR(database.Run(
        "UPDATE timed_assignment SET valid_to = ?1 WHERE host_id = ?2 AND valid_to IS NULL",
        revision, id));
  }
  if (before.next && (after == nullptr || after->next != before.next)) {
    RETURN_IF_ERROR(
        database.Run("UPDATE next_boot SET valid_to = ?1 WHERE host_id = ?2 AND valid_to IS NULL",
                     revision, id));
  }
  for (const auto& [key, value] : before.labels) {
    if (HasLabel(after, key, value)) continue;
    RETURN_IF_ERROR(database.Run(
        "UPDATE host_label SET valid_to = ?1 WHERE host_id = ?2 AND key = ?3 AND valid_to IS NULL",
        revision, id, key.text()));
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
  RETURN_IF_ERROR(database.Run(
      "INSERT INTO host (id, name, note, locked, valid_from) VALUES (?1, ?2, ?3, ?4, ?5)", id,
      after.name.text(), after.note.text(), int64_t{after.locked ? 1 : 0}, revision));
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
  if (after.timed && (before == nullptr || before->timed != after.timed)) {
    RETURN_IF_ERROR(database.Run(
        "INSERT INTO timed_assignment (host_id, distro, until_us, valid_from) "
        "VALUES (?1, ?2, ?3, ?4)",
        id, after.timed->distro.Format(), absl::ToUnixMicros(after.timed->until), revision));
  }
  if (after.next && (before == nullptr || before->next != after.next)) {
    RETURN_IF_ERROR(database.Run(
        "INSERT INTO next_boot (host_id, distro, token, valid_from) VALUES (?1, ?2, ?3, ?4)", id,
        after.next->distro.Format(), after.next->token, revision));
  }
  for (const auto& [key, value] : after.labels) {
    if (HasLabel(before, key, value)) continue;
    RETURN_IF_ERROR(database.Run(
        "INSERT INTO host_label (host_id, key, value, valid_from) VALUES (?1, ?2, ?3, ?4)", id,
        key.text(), value.text(), revision));
  }
  return WriteVariablesOf(database, before, &after, revision);
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
      RETURN_IF_ERROR(WriteVariablesOf(database, host.get(), nullptr, revision));
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

absl::Status AddHostStep(Database& database, absl::optional<HostId> only, ConfigurationStep& step) {
  const int64_t revision = step.change.revision.id.number;
  const auto load = [&](absl::string_view where,
                        std::vector<std::shared_ptr<const Host>>& hosts) -> absl::Status {
    ASSIGN_OR_RETURN(
        Rows rows,
        only.has_value()
            ? database.Query(absl::StrCat(kSelectHosts, "WHERE h.", where, " = ?1 AND h.id = ?2"),
                             revision, static_cast<int64_t>(*only))
            : database.Query(absl::StrCat(kSelectHosts, "WHERE h.", where, " = ?1"), revision));
    while (true) {
      ASSIGN_OR_RETURN(const bool more, rows.Next());
      if (!more) return absl::OkStatus();
      ASSIGN_OR_RETURN(std::shared_ptr<const Host> host, ToHost(rows));
      hosts.push_back(std::move(host));
    }
  };
  const size_t ended = step.hosts.size();
  const size_t begun = step.change.hosts.size();
  RETURN_IF_ERROR(load("valid_to", step.hosts));
  RETURN_IF_ERROR(load("valid_from", step.change.hosts));
  absl::flat_hash_set<HostId> kept;
  for (size_t i = begun; i < step.change.hosts.size(); ++i) kept.insert(step.change.hosts[i]->id);
  for (size_t i = ended; i < step.hosts.size(); ++i) {
    if (!kept.contains(step.hosts[i]->id)) step.change.deleted_hosts.push_back(step.hosts[i]->id);
  }
  return absl::OkStatus();
}

}  // namespace autopxe::server
