#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/mutation.h"
#include "common/model/snapshot.h"

namespace autopxe::server {

// The configuration while a batch is planned: a snapshot, which must outlive it, with what the
// batch has changed so far laid over it. Each step costs the same however large the snapshot is,
// but for the first UsersOf.
class Overlay {
 public:
  // At `now` terms are judged.
  Overlay(const Snapshot& base, HostId next_host_id, absl::Time now);

  // Each null if there is none; valid until the next change.
  const Host* FindHost(HostId id) const;
  const Host* FindHost(const MacAddress& mac) const;
  const Host* FindHost(const HostName& name) const;
  const Host* FindHost(const HostReference& reference) const;
  const Profile* FindProfile(const ProfileName& name) const;
  const Group* FindGroup(const GroupName& name) const;
  std::shared_ptr<const DeclaredDistro> FindDeclaredDistro(const DistroName& name) const;

  const Snapshot::Profiles& profiles() const { return profiles_ ? *profiles_ : base_.profiles(); }
  const Snapshot::DeclaredDistros& declared_distros() const {
    return declared_distros_ ? *declared_distros_ : base_.declared_distros();
  }
  const Settings& settings() const { return settings_ ? *settings_ : base_.settings(); }
  // Those of an agent may set nothing: BuildChange then leaves them out.
  const Snapshot::AgentSettingsById& agent_settings() const {
    return agent_settings_ ? *agent_settings_ : base_.agent_settings();
  }

  size_t group_count() const { return group_count_; }

  // REQUIRES: no host has the name or one of the MACs.
  HostId AddHost(const HostName& name, const std::vector<MacAddress>& macs);
  // The host with the id of `now` is `now`. REQUIRES: there is one, and no other has its name or
  // one of its MACs.
  void ReplaceHost(Host now);
  // REQUIRES: there is such a host.
  void RemoveHost(HostId id);

  void PutGroup(Group group);
  void RemoveGroup(const GroupName& name);

  void PutProfile(const ProfileName& name, const CommandLineTemplate& command_line);
  void RemoveProfile(const ProfileName& name);
  void PutDeclaredDistro(DeclaredDistro distro);
  void RemoveDeclaredDistro(const DistroName& name);
  Settings& mutable_settings();
  // New ones that set nothing if the agent has none.
  AgentSettings& mutable_agent_settings(const AgentId& agent);

  // What boots with a profile, or a declared distro. An assignment that has ended boots nothing.
  struct Users {
    size_t count;
    std::string example;  // `host "web01"`; empty if count is 0.
  };
  Users UsersOf(const ProfileName& profile);
  Users UsersOf(const DistroName& distro);

  // In no order.
  std::vector<std::string> HostNames() const;
  std::vector<std::string> GroupNames() const;

  // What it all comes to: base, number and etags are set. Things that are as they were are not in
  // it.
  Change BuildChange() const;

 private:
  // A profile (kKernel) or a declared distro (kDeclared), by name.
  using Used = std::pair<Distro::Kind, std::string>;

  struct HostEntry {
    std::shared_ptr<const Host> before;  // Null: new.
    absl::optional<Host> now;            // Empty: gone.
  };

  void AddAgentSettings(Change& change) const;
  void AddGroups(Change& change) const;
  void AddProfiles(Change& change) const;
  void AddDeclaredDistros(Change& change) const;
  // Calls visit(group) for every group, in no order.
  template <typename Visit>
  void ForEachGroup(Visit visit) const;
  const Host* Current(const std::shared_ptr<const Host>& in_base) const;
  HostEntry& EntryOf(HostId id);
  void NoteUses(const Host& host, bool uses);
  // What `distro` uses; nothing if it is a built-in one.
  static absl::optional<Used> UsedBy(const absl::optional<Distro>& distro);
  Users UsersOf(const Used& used);

  const Snapshot& base_;
  const absl::Time now_;
  int64_t next_host_id_;
  absl::flat_hash_map<HostId, HostEntry> hosts_;
  // What the batch took or gave: nullopt where it is free now.
  absl::flat_hash_map<MacAddress, absl::optional<HostId>> hosts_by_mac_;
  absl::flat_hash_map<HostName, absl::optional<HostId>> hosts_by_name_;
  // What the batch set or deleted: nullopt where there is none now.
  std::map<GroupName, absl::optional<Group>> groups_;
  size_t group_count_;
  absl::optional<Snapshot::Profiles> profiles_;
  absl::optional<Snapshot::DeclaredDistros> declared_distros_;
  absl::optional<Settings> settings_;
  absl::optional<Snapshot::AgentSettingsById> agent_settings_;
  // Hosts by what they use; gathered when first asked for.
  absl::optional<absl::flat_hash_map<Used, absl::flat_hash_set<HostId>>> hosts_by_used_;
};

}  // namespace autopxe::server
