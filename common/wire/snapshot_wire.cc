#include "common/wire/snapshot_wire.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "common/wire/agent_settings_wire.h"
#include "common/wire/declared_distro_wire.h"
#include "common/wire/field.h"
#include "common/wire/group_wire.h"
#include "common/wire/host_wire.h"
#include "common/wire/profile_wire.h"
#include "common/wire/revision_wire.h"
#include "common/wire/settings_wire.h"

namespace autopxe {
namespace {

// A host takes 100 KiB at the most (64 variables of 1 KiB, 64 labels), so a part of this size is
// full.
constexpr size_t kFullPart = 1 << 20;

}  // namespace

void ForEachPart(const Snapshot& snapshot, absl::FunctionRef<void(v1::SnapshotPart&)> visit,
                 size_t hosts_per_part) {
  PartArena arena;
  const v1::Revision revision = ToProto(snapshot.revision());
  const auto begin = [&] {
    v1::SnapshotPart& part = arena.Begin();
    *part.mutable_revision() = revision;
    return &part;
  };
  v1::SnapshotPart* part = begin();
  part->set_first(true);
  *part->mutable_settings() = ToProto(snapshot.settings());
  for (const auto& [agent, settings] : snapshot.agent_settings()) {
    *part->add_agent_settings() = ToProto(settings);
  }
  for (const auto& group : snapshot.groups()) *part->add_groups() = ToProto(*group);
  for (const auto& [name, profile] : snapshot.profiles()) *part->add_profiles() = ToProto(profile);
  for (const auto& [name, distro] : snapshot.declared_distros()) {
    *part->add_declared_distros() = ToProto(*distro);
  }

  size_t bytes = part->ByteSizeLong();
  for (const std::shared_ptr<const Host>& host : snapshot.HostsByName()) {
    if (bytes >= kFullPart || part->hosts_size() == static_cast<int>(hosts_per_part)) {
      visit(*part);
      part = begin();
      bytes = 0;
    }
    v1::Host& added = *part->add_hosts();
    ToProto(*host, added);
    bytes += added.ByteSizeLong();
  }
  part->set_last(true);
  visit(*part);
}

std::vector<v1::SnapshotPart> ToProto(const Snapshot& snapshot, size_t hosts_per_part) {
  std::vector<v1::SnapshotPart> parts;
  ForEachPart(
      snapshot, [&](v1::SnapshotPart& part) { parts.push_back(part); }, hosts_per_part);
  return parts;
}

absl::StatusOr<std::vector<std::shared_ptr<const Host>>> HostsFromProto(
    const v1::SnapshotPart& part) {
  std::vector<std::shared_ptr<const Host>> hosts;
  hosts.reserve(static_cast<size_t>(part.hosts_size()));
  LastDistro last;
  for (int i = 0; i < part.hosts_size(); ++i) {
    absl::StatusOr<Host> host = FromProto(part.hosts(i), last);
    if (!host.ok()) return Within(Element("hosts", i), host.status());
    hosts.push_back(std::make_shared<const Host>(*std::move(host)));
  }
  return hosts;
}

absl::StatusOr<absl::optional<std::shared_ptr<const Snapshot>>> SnapshotAssembler::Add(
    const v1::SnapshotPart& part) {
  return Add(part, HostsFromProto(part));
}

absl::StatusOr<absl::optional<std::shared_ptr<const Snapshot>>> SnapshotAssembler::Add(
    const v1::SnapshotPart& part, absl::StatusOr<std::vector<std::shared_ptr<const Host>>> hosts) {
  absl::Status status = Gather(part);
  if (status.ok()) status = hosts.status();
  for (size_t i = 0; status.ok() && i < hosts->size(); ++i) {
    status = gathered_->hosts.Add((*hosts)[i]);
  }
  if (!status.ok()) {
    gathered_.reset();
    return status;
  }
  if (!part.last()) return absl::optional<std::shared_ptr<const Snapshot>>();
  Gathered whole = *std::exchange(gathered_, absl::nullopt);
  ASSIGN_OR_RETURN(std::shared_ptr<const Snapshot> snapshot,
                   std::move(whole.hosts)
                       .Build(std::move(whole.revision), std::move(whole.settings),
                              std::move(whole.profiles), std::move(whole.agent_settings),
                              std::move(whole.groups), std::move(whole.declared_distros)));
  return absl::optional<std::shared_ptr<const Snapshot>>(std::move(snapshot));
}

absl::Status SnapshotAssembler::Gather(const v1::SnapshotPart& part) {
  if (!part.has_revision()) return BadField("revision", "", "missing");
  absl::StatusOr<Revision> revision = FromProto(part.revision());
  if (!revision.ok()) return Within("revision", revision.status());
  if (part.first()) {
    gathered_.emplace(
        Gathered{.revision = *std::move(revision), .hosts = Snapshot::Builder(expected_hosts_)});
    if (!part.has_settings()) return BadField("settings", "", "missing in the first part");
    absl::StatusOr<Settings> settings = FromProto(part.settings());
    if (!settings.ok()) return Within("settings", settings.status());
    gathered_->settings = *std::move(settings);
  } else {
    const std::string id = revision->id.Format();
    if (!gathered_.has_value()) return BadField("revision", id, "no first part came before it");
    if (*revision != gathered_->revision) {
      return BadField("revision", id,
                      absl::StrCat("the parts before it are of ", gathered_->revision.id.Format()));
    }
    if (part.has_settings()) return BadField("settings", id, "not in the first part");
    if (part.agent_settings_size() > 0) {
      return BadField("agent_settings", id, "not in the first part");
    }
    if (part.groups_size() > 0) return BadField("groups", id, "not in the first part");
    if (part.profiles_size() > 0) return BadField("profiles", id, "not in the first part");
    if (part.declared_distros_size() > 0) {
      return BadField("declared_distros", id, "not in the first part");
    }
  }
  for (int i = 0; i < part.agent_settings_size(); ++i) {
    absl::StatusOr<AgentSettings> settings = FromProto(part.agent_settings(i));
    if (!settings.ok()) return Within(Element("agent_settings", i), settings.status());
    gathered_->agent_settings.push_back(*std::move(settings));
  }
  for (int i = 0; i < part.groups_size(); ++i) {
    absl::StatusOr<Group> group = FromProto(part.groups(i));
    if (!group.ok()) return Within(Element("groups", i), group.status());
    gathered_->groups.push_back(std::make_shared<const Group>(*std::move(group)));
  }
  for (int i = 0; i < part.profiles_size(); ++i) {
    absl::StatusOr<Profile> profile = FromProto(part.profiles(i));
    if (!profile.ok()) return Within(Element("profiles", i), profile.status());
    gathered_->profiles.push_back(*std::move(profile));
  }
  for (int i = 0; i < part.declared_distros_size(); ++i) {
    absl::StatusOr<DeclaredDistro> distro = FromProto(part.declared_distros(i));
    if (!distro.ok()) return Within(Element("declared_distros", i), distro.status());
    gathered_->declared_distros.push_back(
        std::make_shared<const DeclaredDistro>(*std::move(distro)));
  }
  return absl::OkStatus();
}

}  // namespace autopxe
