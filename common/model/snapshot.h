#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "common/model/agent_settings.h"
#include "common/model/declared_distro.h"
#include "common/model/group.h"
#include "common/model/host.h"
#include "common/model/profile.h"
#include "common/model/revision.h"
#include "common/model/settings.h"
#include "common/model/shared_map.h"

namespace autopxe {

// One step from a revision to the next. Immutable once it is shared.
struct Change {
  RevisionId base;    // What it applies to.
  Revision revision;  // What it leads to.
  absl::optional<Settings> settings;
  std::vector<AgentSettings> agent_settings;         // New or changed.
  std::vector<AgentId> deleted_agent_settings;       // Agents that have none any more.
  std::vector<std::shared_ptr<const Group>> groups;  // New or changed.
  std::vector<GroupName> deleted_groups;
  std::vector<Profile> profiles;  // New or changed.
  std::vector<ProfileName> deleted_profiles;
  std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros;  // New or changed.
  std::vector<DistroName> deleted_declared_distros;
  std::vector<std::shared_ptr<const Host>> hosts;  // New or changed.
  std::vector<HostId> deleted_hosts;

  bool empty() const {
    return !settings.has_value() && agent_settings.empty() && deleted_agent_settings.empty() &&
           groups.empty() && deleted_groups.empty() && profiles.empty() &&
           deleted_profiles.empty() && declared_distros.empty() &&
           deleted_declared_distros.empty() && hosts.empty() && deleted_hosts.empty();
  }
};

// The whole configuration at one revision: immutable, shared, and cheap to step from (Apply). Safe
// to read from any thread.
class Snapshot {
 public:
  using Profiles = std::map<ProfileName, Profile>;
  using AgentSettingsById = std::map<AgentId, AgentSettings>;
  using DeclaredDistros = std::map<DistroName, std::shared_ptr<const DeclaredDistro>>;
  using Groups = std::vector<std::shared_ptr<const Group>>;

  // A server that was never changed, or the start of a snapshot that arrives in parts.
  static std::shared_ptr<const Snapshot> Empty(Revision revision);

  // Makes a snapshot whose hosts come one after another.
  class Builder;

  // Builds a snapshot of all its parts. Errors: INVALID_ARGUMENT, as Builder's.
  static absl::StatusOr<std::shared_ptr<const Snapshot>> Create(
      Revision revision, Settings settings, std::vector<Profile> profiles,
      const std::vector<std::shared_ptr<const Host>>& hosts,
      std::vector<AgentSettings> agent_settings = {}, Groups groups = {},
      std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros = {});

  const Revision& revision() const { return revision_; }
  const Settings& settings() const { return *settings_; }
  const AgentSettingsById& agent_settings() const { return *agent_settings_; }
  const Profiles& profiles() const { return *profiles_; }
  const DeclaredDistros& declared_distros() const { return *declared_distros_; }
  // In the order in which they win (IsBefore).
  const Groups& groups() const { return *groups_; }
  size_t host_count() const { return hosts_.size(); }

  // The host, or null.
  std::shared_ptr<const Host> FindHost(HostId id) const;
  std::shared_ptr<const Host> FindHost(const MacAddress& mac) const;
  std::shared_ptr<const Host> FindHost(const HostName& name) const;
  std::shared_ptr<const Host> FindHost(const HostReference& reference) const;

  // The profile, or null. Valid as long as this snapshot.
  const Profile* FindProfile(const ProfileName& name) const;

  // The declared distro, or null.
  std::shared_ptr<const DeclaredDistro> FindDeclaredDistro(const DistroName& name) const;
  // The same. REQUIRES: distro.kind() == Distro::Kind::kDeclared.
  std::shared_ptr<const DeclaredDistro> FindDeclaredDistro(const Distro& distro) const;

  // The group, or null.
  std::shared_ptr<const Group> FindGroup(const GroupName& name) const;

  // What is set for the hosts of an agent, or null. Valid as long as this snapshot.
  const AgentSettings* FindAgentSettings(const AgentId& agent) const;

  // Everything of a snapshot but its hosts and groups: what is the same for all hosts depends on
  // nothing else. Holds it, so that no other can come to lie at its address.
  class Common {
   public:
    // Of no snapshot.
    Common() = default;
    explicit Common(const Snapshot& snapshot);

    // Whether `snapshot` has the very same one, as Apply leaves it when a step changes hosts and
    // groups alone. Two that are equal but were made apart are not the same.
    bool IsOf(const Snapshot& snapshot) const;

   private:
    std::shared_ptr<const Settings> settings_;
    std::shared_ptr<const AgentSettingsById> agent_settings_;
    std::shared_ptr<const Profiles> profiles_;
    std::shared_ptr<const DeclaredDistros> declared_distros_;
  };

  // All hosts, ascending by name. Costs a sort: for lists and files, not for a boot.
  std::vector<std::shared_ptr<const Host>> HostsByName() const;

  // All hosts, in no order.
  template <typename Visit>
  void ForEachHost(Visit visit) const {
    hosts_.ForEach([&](HostId, const std::shared_ptr<const Host>& host) { visit(host); });
  }

  // Those that are locked, in no order. Costs nothing for the others.
  template <typename Visit>
  void ForEachLockedHost(Visit visit) const {
    locked_hosts_.ForEach([&](HostId, const std::shared_ptr<const Host>& host) { visit(host); });
  }

 private:
  friend absl::StatusOr<std::shared_ptr<const Snapshot>> Apply(const Snapshot& snapshot,
                                                               const Change& change);
  friend std::shared_ptr<const Snapshot> WithoutNextBoots(
      const std::shared_ptr<const Snapshot>& snapshot, absl::Span<const UsedNextBoot> used);

  using HostsById = SharedMap<HostId, std::shared_ptr<const Host>>;
  using HostsByMac = SharedMap<MacAddress, std::shared_ptr<const Host>>;
  using HostsByHostName = SharedMap<HostName, std::shared_ptr<const Host>>;

  Snapshot() = default;

  // Errors: INVALID_ARGUMENT, as Create; the snapshot is then good for nothing.
  absl::Status Add(const std::shared_ptr<const Host>& host);
  // Nothing if there is no such host.
  void Remove(HostId id);

  Revision revision_;
  std::shared_ptr<const Settings> settings_;
  std::shared_ptr<const AgentSettingsById> agent_settings_;
  std::shared_ptr<const Profiles> profiles_;
  std::shared_ptr<const DeclaredDistros> declared_distros_;
  std::shared_ptr<const Groups> groups_;
  SharedMap<GroupName, std::shared_ptr<const Group>> groups_by_name_;
  HostsById hosts_;
  HostsByMac hosts_by_mac_;
  HostsByHostName hosts_by_name_;
  HostsById locked_hosts_;
};

class Snapshot::Builder {
 public:
  // Room for about `expected_hosts`; more may come.
  explicit Builder(size_t expected_hosts = 0);

  // Errors: INVALID_ARGUMENT if the host shares an id, a name or a MAC with one before it, or has
  // no MAC; the message names both. The builder is then good for nothing.
  absl::Status Add(const std::shared_ptr<const Host>& host);

  // The snapshot of all that was added, and of these.
  // Errors: INVALID_ARGUMENT if two profiles, two declared distros or two groups share a name, or
  // two settings an agent; the message names them.
  absl::StatusOr<std::shared_ptr<const Snapshot>> Build(
      Revision revision, Settings settings, std::vector<Profile> profiles,
      std::vector<AgentSettings> agent_settings, Groups groups,
      std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros) &&;

 private:
  HostsById::Builder by_id_;
  HostsByMac::Builder by_mac_;
  HostsByHostName::Builder by_name_;
  HostsById::Builder locked_;
};

// The snapshot after `change`, which shares with `snapshot` all that did not change. What goes,
// goes first: a name or a MAC can move from one host to another in one change. What is deleted but
// not in `snapshot` is ignored.
// Errors: FAILED_PRECONDITION if the change's base is not the snapshot's revision; INVALID_ARGUMENT
// if two hosts would share an id, a name or a MAC, or a host would have no MAC.
absl::StatusOr<std::shared_ptr<const Snapshot>> Apply(const Snapshot& snapshot,
                                                      const Change& change);

// The same configuration, but for the hosts' next boots that are `used`: those hosts have none any
// more. Shares all else with `snapshot`, and is `snapshot` itself if none of them is in it.
std::shared_ptr<const Snapshot> WithoutNextBoots(const std::shared_ptr<const Snapshot>& snapshot,
                                                 absl::Span<const UsedNextBoot> used);

}  // namespace autopxe
