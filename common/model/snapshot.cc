#include "common/model/snapshot.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status_macros.h"

namespace autopxe {
namespace {

std::string Describe(const Host& host) {
  return absl::StrCat(host.name.text(), " (id ", static_cast<int64_t>(host.id), ")");
}

absl::Status Shared(const Host& a, const Host& b, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("hosts ", Describe(a), " and ", Describe(b), " share ", what));
}

absl::Status SharedMac(const Host& a, const Host& b, const MacAddress& mac) {
  return Shared(a, b, absl::StrCat("the MAC ", mac.Format()));
}

absl::Status NoMac(const Host& host) {
  return absl::InvalidArgumentError(absl::StrCat("host ", Describe(host), " has no MAC"));
}

template <typename Value>
std::shared_ptr<const Value> Pointee(const std::shared_ptr<const Value>* found) {
  return found == nullptr ? nullptr : *found;
}

// Eight characters as a number that sorts as they do. Most names differ in a few of these, and to
// compare numbers that lie side by side takes a fraction of looking at two hosts.
uint64_t NumberOf(absl::string_view text, size_t begin) {
  uint64_t number = 0;
  for (size_t i = begin; i < begin + 8; ++i) {
    number = number << 8 | (i < text.size() ? static_cast<unsigned char>(text[i]) : 0);
  }
  return number;
}

bool Wins(const std::shared_ptr<const Group>& a, const std::shared_ptr<const Group>& b) {
  return IsBefore(*a, *b);
}

// The groups by name after a change, and in order: one pass over them however many it touches.
using GroupsByName = SharedMap<GroupName, std::shared_ptr<const Group>>;
std::shared_ptr<const Snapshot::Groups> ApplyGroups(const Snapshot::Groups& before,
                                                    const Change& change, GroupsByName& by_name) {
  std::map<GroupName, std::shared_ptr<const Group>> touched;  // Null: deleted.
  for (const GroupName& name : change.deleted_groups) touched[name] = nullptr;
  for (const std::shared_ptr<const Group>& group : change.groups) touched[group->name] = group;
  Snapshot::Groups now;
  for (const auto& [name, group] : touched) {
    by_name = group == nullptr ? by_name.Without(name) : by_name.With(name, group);
    if (group != nullptr) now.push_back(group);
  }
  std::sort(now.begin(), now.end(), Wins);
  Snapshot::Groups kept;
  kept.reserve(before.size());
  for (const std::shared_ptr<const Group>& group : before) {
    if (touched.count(group->name) == 0) kept.push_back(group);
  }
  auto groups = std::make_shared<Snapshot::Groups>();
  groups->reserve(kept.size() + now.size());
  std::merge(kept.begin(), kept.end(), now.begin(), now.end(), std::back_inserter(*groups), Wins);
  return groups;
}

}  // namespace

std::shared_ptr<const Snapshot> Snapshot::Empty(Revision revision) {
  auto snapshot = std::shared_ptr<Snapshot>(new Snapshot);
  snapshot->revision_ = std::move(revision);
  snapshot->settings_ = std::make_shared<const Settings>();
  snapshot->agent_settings_ = std::make_shared<const AgentSettingsById>();
  snapshot->profiles_ = std::make_shared<const Profiles>();
  snapshot->declared_distros_ = std::make_shared<const DeclaredDistros>();
  snapshot->groups_ = std::make_shared<const Groups>();
  return snapshot;
}

absl::StatusOr<std::shared_ptr<const Snapshot>> Snapshot::Create(
    Revision revision, Settings settings, std::vector<Profile> profiles,
    const std::vector<std::shared_ptr<const Host>>& hosts,
    std::vector<AgentSettings> agent_settings, Groups groups,
    std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros) {
  Builder builder(hosts.size());
  for (const std::shared_ptr<const Host>& host : hosts) RETURN_IF_ERROR(builder.Add(host));
  return std::move(builder).Build(std::move(revision), std::move(settings), std::move(profiles),
                                  std::move(agent_settings), std::move(groups),
                                  std::move(declared_distros));
}

Snapshot::Builder::Builder(size_t expected_hosts)
    : by_id_(expected_hosts), by_mac_(expected_hosts), by_name_(expected_hosts) {}

absl::Status Snapshot::Builder::Add(const std::shared_ptr<const Host>& host) {
  if (host->macs.empty()) return NoMac(*host);
  if (const auto* other = by_id_.Add(host->id, host)) return Shared(**other, *host, "an id");
  if (const auto* other = by_name_.Add(host->name, host)) return Shared(**other, *host, "a name");
  for (const MacAddress& mac : host->macs) {
    if (const auto* other = by_mac_.Add(mac, host)) return SharedMac(**other, *host, mac);
  }
  if (host->locked) locked_.Add(host->id, host);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Snapshot>> Snapshot::Builder::Build(
    Revision revision, Settings settings, std::vector<Profile> profiles,
    std::vector<AgentSettings> agent_settings, Groups groups,
    std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros) && {
  auto snapshot = std::shared_ptr<Snapshot>(new Snapshot);
  snapshot->revision_ = std::move(revision);
  snapshot->settings_ = std::make_shared<const Settings>(std::move(settings));
  AgentSettingsById by_id;
  for (AgentSettings& one : agent_settings) {
    const AgentId agent = one.agent;
    if (!by_id.emplace(agent, std::move(one)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("there are settings for agent ", agent.text(), " twice"));
    }
  }
  snapshot->agent_settings_ = std::make_shared<const AgentSettingsById>(std::move(by_id));
  Profiles by_name;
  for (Profile& profile : profiles) {
    const ProfileName name = profile.name;
    if (!by_name.emplace(name, std::move(profile)).second) {
      return absl::InvalidArgumentError(absl::StrCat("two profiles share the name ", name.text()));
    }
  }
  snapshot->profiles_ = std::make_shared<const Profiles>(std::move(by_name));
  DeclaredDistros declared;
  for (std::shared_ptr<const DeclaredDistro>& distro : declared_distros) {
    const DistroName name = distro->name;
    if (!declared.emplace(name, std::move(distro)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("two declared distros share the name ", name.text()));
    }
  }
  snapshot->declared_distros_ = std::make_shared<const DeclaredDistros>(std::move(declared));
  GroupsByName::Builder groups_by_name(groups.size());
  for (const std::shared_ptr<const Group>& group : groups) {
    if (groups_by_name.Add(group->name, group) == nullptr) continue;
    return absl::InvalidArgumentError(
        absl::StrCat("two groups share the name ", group->name.text()));
  }
  snapshot->groups_by_name_ = std::move(groups_by_name).Build();
  std::sort(groups.begin(), groups.end(), Wins);
  snapshot->groups_ = std::make_shared<const Groups>(std::move(groups));
  snapshot->hosts_ = std::move(by_id_).Build();
  snapshot->hosts_by_mac_ = std::move(by_mac_).Build();
  snapshot->hosts_by_name_ = std::move(by_name_).Build();
  snapshot->locked_hosts_ = std::move(locked_).Build();
  return snapshot;
}

std::shared_ptr<const Host> Snapshot::FindHost(HostId id) const { return Pointee(hosts_.Find(id)); }

std::shared_ptr<const Host> Snapshot::FindHost(const MacAddress& mac) const {
  return Pointee(hosts_by_mac_.Find(mac));
}

std::shared_ptr<const Host> Snapshot::FindHost(const HostName& name) const {
  return Pointee(hosts_by_name_.Find(name));
}

std::shared_ptr<const Host> Snapshot::FindHost(const HostReference& reference) const {
  return std::visit([this](const auto& key) { return FindHost(key); }, reference);
}

const Profile* Snapshot::FindProfile(const ProfileName& name) const {
  const auto found = profiles_->find(name);
  return found == profiles_->end() ? nullptr : &found->second;
}

std::shared_ptr<const DeclaredDistro> Snapshot::FindDeclaredDistro(const DistroName& name) const {
  const auto found = declared_distros_->find(name);
  return found == declared_distros_->end() ? nullptr : found->second;
}

std::shared_ptr<const DeclaredDistro> Snapshot::FindDeclaredDistro(const Distro& distro) const {
  const absl::StatusOr<DistroName> name = DistroName::Parse(distro.name());
  return name.ok() ? FindDeclaredDistro(*name) : nullptr;
}

std::shared_ptr<const Group> Snapshot::FindGroup(const GroupName& name) const {
  return Pointee(groups_by_name_.Find(name));
}

const AgentSettings* Snapshot::FindAgentSettings(const AgentId& agent) const {
  const auto found = agent_settings_->find(agent);
  return found == agent_settings_->end() ? nullptr : &found->second;
}

Snapshot::Common::Common(const Snapshot& snapshot)
    : settings_(snapshot.settings_),
      agent_settings_(snapshot.agent_settings_),
      profiles_(snapshot.profiles_),
      declared_distros_(snapshot.declared_distros_) {}

bool Snapshot::Common::IsOf(const Snapshot& snapshot) const {
  return settings_ == snapshot.settings_ && agent_settings_ == snapshot.agent_settings_ &&
         profiles_ == snapshot.profiles_ && declared_distros_ == snapshot.declared_distros_;
}

std::vector<std::shared_ptr<const Host>> Snapshot::HostsByName() const {
  struct Named {
    std::pair<uint64_t, uint64_t> beginning;
    const std::shared_ptr<const Host>* host;
  };
  std::vector<Named> named;
  named.reserve(hosts_.size());
  hosts_.ForEach([&](HostId, const std::shared_ptr<const Host>& host) {
    const absl::string_view name = host->name.text();
    named.push_back({{NumberOf(name, 0), NumberOf(name, 8)}, &host});
  });
  std::sort(named.begin(), named.end(), [](const Named& a, const Named& b) {
    if (a.beginning != b.beginning) return a.beginning < b.beginning;
    return (*a.host)->name < (*b.host)->name;
  });
  std::vector<std::shared_ptr<const Host>> hosts;
  hosts.reserve(named.size());
  for (const Named& one : named) hosts.push_back(*one.host);
  return hosts;
}

absl::Status Snapshot::Add(const std::shared_ptr<const Host>& host) {
  if (host->macs.empty()) return NoMac(*host);
  if (const auto other = FindHost(host->id)) return Shared(*other, *host, "an id");
  if (const auto other = FindHost(host->name)) return Shared(*other, *host, "a name");
  for (const MacAddress& mac : host->macs) {
    if (const auto other = FindHost(mac)) return SharedMac(*other, *host, mac);
    hosts_by_mac_ = hosts_by_mac_.With(mac, host);
  }
  hosts_ = hosts_.With(host->id, host);
  hosts_by_name_ = hosts_by_name_.With(host->name, host);
  if (host->locked) locked_hosts_ = locked_hosts_.With(host->id, host);
  return absl::OkStatus();
}

void Snapshot::Remove(HostId id) {
  const std::shared_ptr<const Host> host = FindHost(id);
  if (host == nullptr) return;
  hosts_ = hosts_.Without(id);
  locked_hosts_ = locked_hosts_.Without(id);
  hosts_by_name_ = hosts_by_name_.Without(host->name);
  for (const MacAddress& mac : host->macs) hosts_by_mac_ = hosts_by_mac_.Without(mac);
}

absl::StatusOr<std::shared_ptr<const Snapshot>> Apply(const Snapshot& snapshot,
                                                      const Change& change) {
  if (change.base != snapshot.revision().id) {
    return absl::FailedPreconditionError(absl::StrCat("a change of revision ", change.base.Format(),
                                                      " does not apply to revision ",
                                                      snapshot.revision().id.Format()));
  }
  auto next = std::shared_ptr<Snapshot>(new Snapshot(snapshot));
  next->revision_ = change.revision;
  if (change.settings.has_value()) {
    next->settings_ = std::make_shared<const Settings>(*change.settings);
  }
  if (!change.agent_settings.empty() || !change.deleted_agent_settings.empty()) {
    Snapshot::AgentSettingsById agents = snapshot.agent_settings();
    for (const AgentId& agent : change.deleted_agent_settings) agents.erase(agent);
    for (const AgentSettings& one : change.agent_settings) agents.insert_or_assign(one.agent, one);
    next->agent_settings_ = std::make_shared<const Snapshot::AgentSettingsById>(std::move(agents));
  }
  if (!change.profiles.empty() || !change.deleted_profiles.empty()) {
    Snapshot::Profiles profiles = snapshot.profiles();
    for (const ProfileName& name : change.deleted_profiles) profiles.erase(name);
    for (const Profile& profile : change.profiles) profiles.insert_or_assign(profile.name, profile);
    next->profiles_ = std::make_shared<const Snapshot::Profiles>(std::move(profiles));
  }
  if (!change.declared_distros.empty() || !change.deleted_declared_distros.empty()) {
    Snapshot::DeclaredDistros declared = snapshot.declared_distros();
    for (const DistroName& name : change.deleted_declared_distros) declared.erase(name);
    for (const auto& distro : change.declared_distros) {
      declared.insert_or_assign(distro->name, distro);
    }
    next->declared_distros_ =
        std::make_shared<const Snapshot::DeclaredDistros>(std::move(declared));
  }
  if (!change.groups.empty() || !change.deleted_groups.empty()) {
    next->groups_ = ApplyGroups(snapshot.groups(), change, next->groups_by_name_);
  }
  for (const HostId id : change.deleted_hosts) next->Remove(id);
  for (const std::shared_ptr<const Host>& host : change.hosts) next->Remove(host->id);
  for (const std::shared_ptr<const Host>& host : change.hosts) RETURN_IF_ERROR(next->Add(host));
  return next;
}

std::shared_ptr<const Snapshot> WithoutNextBoots(const std::shared_ptr<const Snapshot>& snapshot,
                                                 absl::Span<const UsedNextBoot> used) {
  std::shared_ptr<Snapshot> without;
  for (const UsedNextBoot& use : used) {
    const std::shared_ptr<const Host> host = snapshot->FindHost(use.host);
    if (host == nullptr || !host->next.has_value() || host->next->token != use.token) continue;
    if (without == nullptr) without.reset(new Snapshot(*snapshot));
    Host changed = *host;
    changed.next.reset();
    const auto shared = std::make_shared<const Host>(std::move(changed));
    without->hosts_ = without->hosts_.With(shared->id, shared);
    if (shared->locked) without->locked_hosts_ = without->locked_hosts_.With(shared->id, shared);
    without->hosts_by_name_ = without->hosts_by_name_.With(shared->name, shared);
    for (const MacAddress& mac : shared->macs) {
      without->hosts_by_mac_ = without->hosts_by_mac_.With(mac, shared);
    }
  }
  return without == nullptr ? snapshot : without;
}

}  // namespace autopxe
