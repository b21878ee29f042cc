#include "server/plan/overlay.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

// The same but for etags, which tell nothing here.
template <typename Resource>
bool IsUnchanged(const Resource& before, Resource now) {
  now.etag = before.etag;
  return now == before;
}

}  // namespace

Overlay::Overlay(const Snapshot& base, HostId next_host_id, absl::Time now)
    : base_(base),
      now_(now),
      next_host_id_(static_cast<int64_t>(next_host_id)),
      group_count_(base.groups().size()) {}

const Host* Overlay::Current(const std::shared_ptr<const Host>& in_base) const {
  if (in_base == nullptr) return nullptr;
  const auto entry = hosts_.find(in_base->id);
  if (entry == hosts_.end()) return in_base.get();
  return entry->second.now.has_value() ? &*entry->second.now : nullptr;
}

const Host* Overlay::FindHost(HostId id) const {
  const auto entry = hosts_.find(id);
  if (entry == hosts_.end()) return base_.FindHost(id).get();
  return entry->second.now.has_value() ? &*entry->second.now : nullptr;
}

const Host* Overlay::FindHost(const MacAddress& mac) const {
  if (const auto found = hosts_by_mac_.find(mac); found != hosts_by_mac_.end()) {
    return found->second.has_value() ? &*hosts_.at(*found->second).now : nullptr;
  }
  return Current(base_.FindHost(mac));
}

const Host* Overlay::FindHost(const HostName& name) const {
  if (const auto found = hosts_by_name_.find(name); found != hosts_by_name_.end()) {
    return found->second.has_value() ? &*hosts_.at(*found->second).now : nullptr;
  }
  return Current(base_.FindHost(name));
}

const Host* Overlay::FindHost(const HostReference& reference) const {
  return std::visit([this](const auto& key) { return FindHost(key); }, reference);
}

const Profile* Overlay::FindProfile(const ProfileName& name) const {
  const auto found = profiles().find(name);
  return found == profiles().end() ? nullptr : &found->second;
}

const Group* Overlay::FindGroup(const GroupName& name) const {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return base_.FindGroup(name).get();
  return found->second.has_value() ? &*found->second : nullptr;
}

std::shared_ptr<const DeclaredDistro> Overlay::FindDeclaredDistro(const DistroName& name) const {
  const auto found = declared_distros().find(name);
  return found == declared_distros().end() ? nullptr : found->second;
}

Overlay::HostEntry& Overlay::EntryOf(HostId id) {
  const auto [entry, added] = hosts_.try_emplace(id);
  if (added) {
    entry->second.before = base_.FindHost(id);
    entry->second.now = *entry->second.before;
  }
  return entry->second;
}

HostId Overlay::AddHost(const HostName& name, const std::vector<MacAddress>& macs) {
  const HostId id{next_host_id_++};
  hosts_[id].now = Host{.id = id, .name = name, .macs = macs};
  for (const MacAddress& mac : macs) hosts_by_mac_[mac] = id;
  hosts_by_name_[name] = id;
  return id;
}

void Overlay::ReplaceHost(Host now) {
  const HostId id = now.id;
  Host& host = *EntryOf(id).now;
  NoteUses(host, false);
  for (const MacAddress& mac : host.macs) hosts_by_mac_[mac] = absl::nullopt;
  hosts_by_name_[host.name] = absl::nullopt;
  host = std::move(now);
  for (const MacAddress& mac : host.macs) hosts_by_mac_[mac] = id;
  hosts_by_name_[host.name] = id;
  NoteUses(host, true);
}

void Overlay::RemoveHost(HostId id) {
  HostEntry& entry = EntryOf(id);
  for (const MacAddress& mac : entry.now->macs) hosts_by_mac_[mac] = absl::nullopt;
  hosts_by_name_[entry.now->name] = absl::nullopt;
  NoteUses(*entry.now, false);
  entry.now.reset();
}

void Overlay::PutGroup(Group group) {
  if (FindGroup(group.name) == nullptr) ++group_count_;
  groups_.insert_or_assign(group.name, std::move(group));
}

void Overlay::RemoveGroup(const GroupName& name) {
  if (FindGroup(name) != nullptr) --group_count_;
  groups_.insert_or_assign(name, absl::nullopt);
}

template <typename Visit>
void Overlay::ForEachGroup(Visit visit) const {
  for (const std::shared_ptr<const Group>& group : base_.groups()) {
    if (groups_.count(group->name) == 0) visit(*group);
  }
  for (const auto& [name, group] : groups_) {
    if (group.has_value()) visit(*group);
  }
}

std::vector<std::string> Overlay::GroupNames() const {
  std::vector<std::string> names;
  names.reserve(group_count_);
  ForEachGroup([&](const Group& group) { names.push_back(group.name.text()); });
  return names;
}

void Overlay::PutProfile(const ProfileName& name, const CommandLineTemplate& command_line) {
  if (!profiles_) profiles_ = base_.profiles();
  profiles_->insert_or_assign(name, Profile{.name = name, .command_line = command_line});
}

void Overlay::RemoveProfile(const ProfileName& name) {
  if (!profiles_) profiles_ = base_.profiles();
  profiles_->erase(name);
}

void Overlay::PutDeclaredDistro(DeclaredDistro distro) {
  if (!declared_distros_) declared_distros_ = base_.declared_distros();
  const DistroName name = distro.name;
  declared_distros_->insert_or_assign(name,
                                      std::make_shared<const DeclaredDistro>(std::move(distro)));
}

void Overlay::RemoveDeclaredDistro(const DistroName& name) {
  if (!declared_distros_) declared_distros_ = base_.declared_distros();
  declared_distros_->erase(name);
}

Settings& Overlay::mutable_settings() {
  if (!settings_) settings_ = base_.settings();
  return *settings_;
}

AgentSettings& Overlay::mutable_agent_settings(const AgentId& agent) {
  if (!agent_settings_) agent_settings_ = base_.agent_settings();
  return agent_settings_
      ->try_emplace(
          agent,
          AgentSettings{
              .agent = agent, .default_distro = {}, .variables = {}, .rootfs_path_prefix = {}})
      .first->second;
}

absl::optional<Overlay::Used> Overlay::UsedBy(const absl::optional<Distro>& distro) {
  if (!distro.has_value()) return absl::nullopt;
  switch (distro->kind()) {
    case Distro::Kind::kKernel:
      return Used(distro->kind(), distro->profile());
    case Distro::Kind::kDeclared:
      return Used(distro->kind(), distro->name());
    case Distro::Kind::kLocal:
    case Distro::Kind::kMenu:
    case Distro::Kind::kWait:
    case Distro::Kind::kIgnore:
      break;
  }
  return absl::nullopt;
}

void Overlay::NoteUses(const Host& host, bool uses) {
  if (!hosts_by_used_) return;
  const auto note = [&](const absl::optional<Distro>& distro) {
    const absl::optional<Used> used = UsedBy(distro);
    if (!used.has_value()) return;
    if (uses) {
      (*hosts_by_used_)[*used].insert(host.id);
    } else {
      (*hosts_by_used_)[*used].erase(host.id);
    }
  };
  note(host.distro);
  if (host.timed.has_value() && host.timed->until > now_) note(host.timed->distro);
  if (host.next.has_value()) note(host.next->distro);
}

Overlay::Users Overlay::UsersOf(const ProfileName& profile) {
  return UsersOf(Used(Distro::Kind::kKernel, profile.text()));
}

Overlay::Users Overlay::UsersOf(const DistroName& distro) {
  return UsersOf(Used(Distro::Kind::kDeclared, distro.text()));
}

Overlay::Users Overlay::UsersOf(const Used& used) {
  if (!hosts_by_used_) {
    hosts_by_used_.emplace();
    base_.ForEachHost([this](const std::shared_ptr<const Host>& host) {
      if (const Host* now = Current(host); now != nullptr) NoteUses(*now, true);
    });
    for (const auto& [id, entry] : hosts_) {
      if (entry.before == nullptr && entry.now) NoteUses(*entry.now, true);
    }
  }
  Users users{.count = 0, .example = ""};
  if (const auto found = hosts_by_used_->find(used);
      found != hosts_by_used_->end() && !found->second.empty()) {
    users.count = found->second.size();
    const HostId id = *std::min_element(found->second.begin(), found->second.end());
    const auto entry = hosts_.find(id);
    const HostName name =
        entry == hosts_.end() ? base_.FindHost(id)->name : entry->second.now->name;
    users.example = absl::StrCat("host ", Quote(name.text()));
  }
  const auto add = [&](const absl::optional<Distro>& distro, std::string setting) {
    if (UsedBy(distro) != used) return;
    ++users.count;
    users.example = std::move(setting);
  };
  ForEachGroup([&](const Group& group) {
    if (group.distro.has_value()) {
      add(group.distro, absl::StrCat("group ", Quote(group.name.text())));
    }
  });
  for (const auto& [agent, own] : agent_settings()) {
    add(own.default_distro,
        absl::StrCat("the setting default-distro of agent ", Quote(agent.text())));
  }
  add(settings().unknown_hosts, "the setting unknown-hosts");
  add(settings().default_distro, "the setting default-distro");
  return users;
}

std::vector<std::string> Overlay::HostNames() const {
  std::vector<std::string> names;
  names.reserve(base_.host_count() + hosts_.size());
  base_.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    if (const Host* now = Current(host); now != nullptr) names.push_back(now->name.text());
  });
  for (const auto& [id, entry] : hosts_) {
    if (entry.before == nullptr && entry.now) names.push_back(entry.now->name.text());
  }
  return names;
}

void Overlay::AddAgentSettings(Change& change) const {
  if (!agent_settings_) return;
  for (const auto& [agent, now] : *agent_settings_) {
    const AgentSettings* const before = base_.FindAgentSettings(agent);
    if (now.empty()) {
      if (before != nullptr) change.deleted_agent_settings.push_back(agent);
      continue;
    }
    // The etag is still the one of `before`.
    if (before != nullptr && now == *before) continue;
    change.agent_settings.push_back(now);
    change.agent_settings.back().etag = change.revision.id.number;
  }
}

void Overlay::AddGroups(Change& change) const {
  for (const auto& [name, group] : groups_) {
    const std::shared_ptr<const Group> before = base_.FindGroup(name);
    if (!group.has_value()) {
      if (before != nullptr) change.deleted_groups.push_back(name);
      continue;
    }
    if (before != nullptr && IsUnchanged(*before, *group)) continue;
    auto changed = std::make_shared<Group>(*group);
    changed->etag = change.revision.id.number;
    change.groups.push_back(std::move(changed));
  }
}

void Overlay::AddProfiles(Change& change) const {
  if (!profiles_) return;
  for (const auto& [name, profile] : *profiles_) {
    const Profile* const before = base_.FindProfile(name);
    if (before != nullptr && before->command_line == profile.command_line) continue;
    change.profiles.push_back(profile);
    change.profiles.back().etag = change.revision.id.number;
  }
  for (const auto& [name, profile] : base_.profiles()) {
    if (profiles_->count(name) == 0) change.deleted_profiles.push_back(name);
  }
}

void Overlay::AddDeclaredDistros(Change& change) const {
  if (!declared_distros_) return;
  for (const auto& [name, distro] : *declared_distros_) {
    const auto before = base_.FindDeclaredDistro(name);
    if (before != nullptr && IsUnchanged(*before, *distro)) continue;
    auto changed = std::make_shared<DeclaredDistro>(*distro);
    changed->etag = change.revision.id.number;
    change.declared_distros.push_back(std::move(changed));
  }
  for (const auto& [name, distro] : base_.declared_distros()) {
    if (declared_distros_->count(name) == 0) change.deleted_declared_distros.push_back(name);
  }
}

Change Overlay::BuildChange() const {
  Change change;
  change.base = base_.revision().id;
  const int64_t number = change.base.number + 1;
  change.revision.id.number = number;

  if (settings_) {
    Settings settings = *settings_;
    settings.etag = base_.settings().etag;
    if (!(settings == base_.settings())) {
      settings.etag = number;
      change.settings = std::move(settings);
    }
  }
  AddAgentSettings(change);
  AddGroups(change);
  AddProfiles(change);
  AddDeclaredDistros(change);
  for (const auto& [id, entry] : hosts_) {
    if (!entry.now) {
      if (entry.before != nullptr) change.deleted_hosts.push_back(id);
      continue;
    }
    if (entry.before != nullptr && IsUnchanged(*entry.before, *entry.now)) continue;
    auto host = std::make_shared<Host>(*entry.now);
    host->etag = number;
    change.hosts.push_back(std::move(host));
  }
  std::sort(change.hosts.begin(), change.hosts.end(),
            [](const auto& a, const auto& b) { return a->id < b->id; });
  std::sort(change.deleted_hosts.begin(), change.deleted_hosts.end());
  return change;
}

}  // namespace autopxe::server
