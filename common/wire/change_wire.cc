#include "common/wire/change_wire.h"

#include <string>
#include <utility>

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

v1::Change ToProto(const Change& change) {
  v1::Change result;
  *result.mutable_base() = ToProto(change.base);
  *result.mutable_revision() = ToProto(change.revision);
  if (change.settings.has_value()) *result.mutable_settings() = ToProto(*change.settings);
  for (const AgentSettings& one : change.agent_settings)
    *result.add_agent_settings() = ToProto(one);
  for (const AgentId& agent : change.deleted_agent_settings) {
    result.add_deleted_agent_settings(agent.text());
  }
  for (const auto& group : change.groups) *result.add_groups() = ToProto(*group);
  for (const GroupName& name : change.deleted_groups) result.add_deleted_groups(name.text());
  for (const Profile& profile : change.profiles) *result.add_profiles() = ToProto(profile);
  for (const ProfileName& name : change.deleted_profiles) {
    result.add_deleted_profiles(name.text());
  }
  for (const auto& distro : change.declared_distros) {
    *result.add_declared_distros() = ToProto(*distro);
  }
  for (const DistroName& name : change.deleted_declared_distros) {
    result.add_deleted_declared_distros(name.text());
  }
  for (const std::shared_ptr<const Host>& host : change.hosts) ToProto(*host, *result.add_hosts());
  for (const HostId id : change.deleted_hosts) {
    result.add_deleted_hosts(static_cast<int64_t>(id));
  }
  return result;
}

absl::StatusOr<std::shared_ptr<const Change>> FromProto(const v1::Change& change) {
  if (!change.has_base()) return BadField("base", "", "missing");
  if (!change.has_revision()) return BadField("revision", "", "missing");
  absl::StatusOr<RevisionId> base = FromProto(change.base());
  if (!base.ok()) return Within("base", base.status());
  absl::StatusOr<Revision> revision = FromProto(change.revision());
  if (!revision.ok()) return Within("revision", revision.status());
  if (revision->id.number <= base->number) {
    return BadField("revision.id.number", std::to_string(revision->id.number),
                    "not above the base");
  }

  auto result = std::make_shared<Change>();
  result->base = *base;
  result->revision = *std::move(revision);
  if (change.has_settings()) {
    absl::StatusOr<Settings> settings = FromProto(change.settings());
    if (!settings.ok()) return Within("settings", settings.status());
    result->settings = *std::move(settings);
  }
  for (int i = 0; i < change.agent_settings_size(); ++i) {
    absl::StatusOr<AgentSettings> settings = FromProto(change.agent_settings(i));
    if (!settings.ok()) return Within(Element("agent_settings", i), settings.status());
    result->agent_settings.push_back(*std::move(settings));
  }
  for (int i = 0; i < change.deleted_agent_settings_size(); ++i) {
    ASSIGN_OR_RETURN(AgentId agent, ParseField<AgentId>(Element("deleted_agent_settings", i),
                                                        change.deleted_agent_settings(i)));
    result->deleted_agent_settings.push_back(std::move(agent));
  }
  for (int i = 0; i < change.groups_size(); ++i) {
    absl::StatusOr<Group> group = FromProto(change.groups(i));
    if (!group.ok()) return Within(Element("groups", i), group.status());
    result->groups.push_back(std::make_shared<const Group>(*std::move(group)));
  }
  for (int i = 0; i < change.deleted_groups_size(); ++i) {
    ASSIGN_OR_RETURN(GroupName name,
                     ParseField<GroupName>(Element("deleted_groups", i), change.deleted_groups(i)));
    result->deleted_groups.push_back(std::move(name));
  }
  for (int i = 0; i < change.profiles_size(); ++i) {
    absl::StatusOr<Profile> profile = FromProto(change.profiles(i));
    if (!profile.ok()) return Within(Element("profiles", i), profile.status());
    result->profiles.push_back(*std::move(profile));
  }
  for (int i = 0; i < change.deleted_profiles_size(); ++i) {
    ASSIGN_OR_RETURN(ProfileName name, ParseField<ProfileName>(Element("deleted_profiles", i),
                                                               change.deleted_profiles(i)));
    result->deleted_profiles.push_back(std::move(name));
  }
  for (int i = 0; i < change.declared_distros_size(); ++i) {
    absl::StatusOr<DeclaredDistro> distro = FromProto(change.declared_distros(i));
    if (!distro.ok()) return Within(Element("declared_distros", i), distro.status());
    result->declared_distros.push_back(std::make_shared<const DeclaredDistro>(*std::move(distro)));
  }
  for (int i = 0; i < change.deleted_declared_distros_size(); ++i) {
    ASSIGN_OR_RETURN(DistroName name, ParseField<DistroName>(Element("deleted_declared_distros", i),
                                                             change.deleted_declared_distros(i)));
    result->deleted_declared_distros.push_back(std::move(name));
  }
  for (int i = 0; i < change.hosts_size(); ++i) {
    absl::StatusOr<Host> host = FromProto(change.hosts(i));
    if (!host.ok()) return Within(Element("hosts", i), host.status());
    result->hosts.push_back(std::make_shared<const Host>(*std::move(host)));
  }
  for (int i = 0; i < change.deleted_hosts_size(); ++i) {
    RETURN_IF_ERROR(CheckAtLeast(Element("deleted_hosts", i), change.deleted_hosts(i), 1));
    result->deleted_hosts.push_back(HostId{change.deleted_hosts(i)});
  }
  return result;
}

}  // namespace autopxe
