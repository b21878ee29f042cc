#include "common/wire/random_values.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace autopxe {

RevisionId RandomValues::Id() { return {static_cast<int64_t>(Number(1000000)), random()()}; }

Revision RandomValues::AnyRevision() {
  return {Id(), Time(), Text(kPrintable, 0, 20), Text(kPrintable, 0, 20), Text(kPrintable, 0, 20)};
}

Group RandomValues::AnyGroup() {
  return {.name = AnyGroupName(),
          .selector = AnySelector(),
          .priority = static_cast<int32_t>(Number(2'000'001)) - 1'000'000,
          .distro = MaybeDistro(),
          .variables = Variables(),
          .etag = Etag()};
}

Host RandomValues::AnyHost() {
  Host host{.id = HostId{static_cast<int64_t>(1 + Number(1000000))},
            .name = HostNameOrMac(),
            .macs = Macs(),
            .distro = MaybeDistro(),
            .labels = AnyLabels(),
            .variables = Variables(),
            .note = Note::Parse(Text(kPrintable, 0, 40)).value(),
            .locked = Coin(),
            .etag = Etag()};
  if (Coin()) host.timed = TimedAssignment{AnyDistro(), Time()};
  if (Coin()) host.next = NextBoot{AnyDistro(), static_cast<int64_t>(1 + Number(1000))};
  return host;
}

Profile RandomValues::AnyProfile() { return {AnyProfileName(), CommandLine(), Etag()}; }

DeclaredDistro RandomValues::AnyDeclaredDistro() {
  const auto architecture = static_cast<Architecture>(Number(6));
  if (Coin()) return {AnyDistroName(), DeclaredChain{AnyBootFile()}, architecture, Etag()};
  DeclaredKernel kernel{AnyBootFile(), {}, CommandLine()};
  for (size_t count = Number(4); count > 0; --count) kernel.initrds.push_back(AnyBootFile());
  return {AnyDistroName(), std::move(kernel), architecture, Etag()};
}

Settings RandomValues::AnySettings() {
  Settings settings;
  settings.default_distro = MaybeDistro();
  settings.variables = Variables();
  settings.menu_timeout = absl::Seconds(1 + Number(3600));
  if (Coin()) settings.rootfs_path_prefix = Prefix();
  settings.unknown_hosts = MaybeDistro();
  settings.etag = Etag();
  return settings;
}

AgentSettings RandomValues::AnyAgentSettings() {
  AgentSettings settings{.agent = AnyAgentId(),
                         .default_distro = MaybeDistro(),
                         .variables = Variables(),
                         .rootfs_path_prefix = {},
                         .etag = Etag()};
  if (Coin()) settings.rootfs_path_prefix = Prefix();
  return settings;
}

template <typename Update>
void RandomValues::FillCommonSettings(Update& update) {
  if (Coin()) update.default_distro.emplace(MaybeDistro());
  update.allow_missing = Coin();
  update.set_variables = Variables();
  for (size_t count = Number(4); count > 0; --count) {
    update.unset_variables.push_back(AnyVariableName());
  }
  if (Coin()) {
    update.rootfs_path_prefix.emplace();
    if (Coin()) *update.rootfs_path_prefix = Prefix();
  }
}

Mutation RandomValues::AnyMutation() {
  switch (Number(14)) {
    case 0: {
      const Term terms[] = {Term(), NextBootOnly(), absl::Seconds(Number(100'000)), Time()};
      return Assign{Reference(), AnyDistro(), Coin(), terms[Number(4)]};
    }
    case 1:
      return Unassign{Reference(), Coin()};
    case 7: {
      UpdateHost update{.host = Reference(),
                        .add_macs = Macs(),
                        .remove_macs = Macs(),
                        .set_labels = AnyLabels(),
                        .set_variables = Variables()};
      if (Coin()) update.name = HostNameOrMac();
      for (const auto& [key, value] : AnyLabels()) update.unset_labels.push_back(key);
      for (size_t count = Number(4); count > 0; --count) {
        update.unset_variables.push_back(AnyVariableName());
      }
      if (Coin()) update.note = Note::Parse(Text(kPrintable, 0, 40)).value();
      if (Coin()) update.locked = Coin();
      return update;
    }
    case 8: {
      SetGroup set{.name = AnyGroupName(), .allow_missing = Coin(), .set_variables = Variables()};
      if (Coin()) set.selector = AnySelector();
      if (Coin()) set.priority = static_cast<int32_t>(Number(1000)) - 500;
      if (Coin()) set.distro.emplace(MaybeDistro());
      for (size_t count = Number(4); count > 0; --count) {
        set.unset_variables.push_back(AnyVariableName());
      }
      return set;
    }
    case 9:
      return DeleteGroup{AnyGroupName()};
    case 10:
      return UseNextBoot{HostId{static_cast<int64_t>(1 + Number(1000))},
                         static_cast<int64_t>(1 + Number(1000))};
    case 11: {
      DeclareDistro declare{AnyDeclaredDistro()};
      declare.distro.etag = 0;
      return declare;
    }
    case 12:
      return DeleteDeclaredDistro{AnyDistroName()};
    case 2:
      return CreateHost{HostNameOrMac(), Macs()};
    case 3:
      return DeleteHost{Reference()};
    case 4:
      return SetProfile{AnyProfileName(), CommandLine()};
    case 5:
      return DeleteProfile{AnyProfileName()};
    case 6: {
      UpdateAgentSettings update{.agent = AnyAgentId(),
                                 .default_distro = {},
                                 .set_variables = {},
                                 .unset_variables = {},
                                 .rootfs_path_prefix = {}};
      FillCommonSettings(update);
      return update;
    }
    default:
      break;
  }
  UpdateSettings update;
  FillCommonSettings(update);
  if (Coin()) update.unknown_hosts.emplace(MaybeDistro());
  if (Coin()) update.menu_timeout = absl::Seconds(1 + Number(3600));
  return update;
}

ExpectedEtag RandomValues::AnyExpectedEtag() {
  switch (Number(6)) {
    case 0:
      return {Reference(), Etag()};
    case 1:
      return {AnyProfileName(), Etag()};
    case 3:
      return {AnyGroupName(), Etag()};
    case 4:
      return {AnyDistroName(), Etag()};
    case 2:
      return {AnyAgentId(), Etag()};
    default:
      return {std::monostate(), Etag()};
  }
}

Catalog RandomValues::AnyCatalog() {
  const auto names = [this](size_t max) {
    std::set<std::string> result;
    for (size_t count = Number(max + 1); result.size() < count;) {
      result.insert("n" + Text("abcXYZ019._-+~", 0, 6));
    }
    return result;
  };
  Catalog catalog;
  for (const std::string& distro_name : names(3)) {
    CatalogDistro& distro = catalog.distros.emplace_back(CatalogDistro{distro_name, {}});
    for (const std::string& release_name : names(3)) {
      CatalogRelease& release =
          distro.releases.emplace_back(CatalogRelease{release_name, Coin() ? "" : "alias", {}});
      for (const std::string& kernel : names(3)) {
        release.kernels.push_back({.name = kernel,
                                   .version = Coin() ? "" : "6.1.0-25-amd64",
                                   .kernel_path = "boot/vmlinuz-" + kernel,
                                   .initrd_path = "boot/initrd.img-" + kernel,
                                   .architecture = static_cast<Architecture>(Number(6)),
                                   .kernel_size = static_cast<int64_t>(Number(1'000'000)),
                                   .initrd_size = static_cast<int64_t>(Number(1'000'000'000))});
      }
    }
  }
  for (const std::string& loader : names(3)) catalog.loaders.push_back(loader);
  for (const std::string& path : names(3)) {
    catalog.files.push_back({path, static_cast<int64_t>(Number(1'000'000'000))});
  }
  return catalog;
}

AgentStatus RandomValues::AnyAgentStatus() {
  AgentStatus status{AgentInstance::Parse("i" + Text(kNameCharacters, 0, 20)).value()};
  status.applied = Id();
  status.version = Text(kPrintable, 0, 20);
  status.start_time = Time();
  if (Coin()) {
    status.http_address =
        IpEndpoint{IpAddress::FromV4({10, 77, 1, static_cast<uint8_t>(Number(256))}),
                   static_cast<uint16_t>(Number(65536))};
  }
  if (Coin()) status.tftp_address = IpEndpoint::Parse("[fd00::1]:69").value();
  if (Coin()) status.view_age = absl::Milliseconds(static_cast<int64_t>(Number(1'000'000'000)));
  for (size_t count = Number(4); count > 0; --count) {
    status.problems.push_back("p" + Text(kPrintable, 0, 40));
  }
  if (Coin()) status.rootfs_folder = "/" + Text(kNameCharacters, 0, 20);
  if (Coin()) status.advertise = IpAddress::Parse(Coin() ? "10.77.1.1" : "fd00::1").value();
  status.http_port = static_cast<uint16_t>(Number(65536));
  status.tftp_port = static_cast<uint16_t>(Number(65536));
  return status;
}

Change RandomValues::AnyChange() {
  Change change;
  change.revision = AnyRevision();
  change.base = Id();
  change.base.number = change.revision.id.number;
  ++change.revision.id.number;
  if (Coin()) change.settings = AnySettings();
  for (size_t count = Number(3); count > 0; --count) {
    change.agent_settings.push_back(AnyAgentSettings());
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.deleted_agent_settings.push_back(AnyAgentId());
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.groups.push_back(std::make_shared<const Group>(AnyGroup()));
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.deleted_groups.push_back(AnyGroupName());
  }
  for (size_t count = Number(3); count > 0; --count) change.profiles.push_back(AnyProfile());
  for (size_t count = Number(3); count > 0; --count) {
    change.deleted_profiles.push_back(AnyProfileName());
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.declared_distros.push_back(std::make_shared<const DeclaredDistro>(AnyDeclaredDistro()));
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.deleted_declared_distros.push_back(AnyDistroName());
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.hosts.push_back(std::make_shared<const Host>(AnyHost()));
  }
  for (size_t count = Number(3); count > 0; --count) {
    change.deleted_hosts.push_back(HostId{static_cast<int64_t>(1 + Number(1000))});
  }
  return change;
}

std::shared_ptr<const Snapshot> RandomValues::AnySnapshot(size_t hosts) {
  std::map<ProfileName, Profile> profiles;
  for (size_t count = Number(4); count > 0; --count) {
    Profile profile = AnyProfile();
    profiles.insert_or_assign(profile.name, profile);
  }
  std::map<AgentId, AgentSettings> agents;
  for (size_t count = Number(4); count > 0; --count) {
    AgentSettings settings = AnyAgentSettings();
    agents.insert_or_assign(settings.agent, settings);
  }
  std::vector<AgentSettings> agent_list;
  for (const auto& [agent, settings] : agents) agent_list.push_back(settings);
  std::vector<Profile> profile_list;
  for (const auto& [name, profile] : profiles) profile_list.push_back(profile);
  std::vector<std::shared_ptr<const Host>> host_list;
  for (size_t id = 1; id <= hosts; ++id) {
    Host host = AnyHost();
    host.id = HostId{static_cast<int64_t>(id)};
    host.name = HostName::Parse(absl::StrCat("h", id)).value();
    host.macs = {MacAddress::FromNumber(0x020000000000 + id)};
    host_list.push_back(std::make_shared<const Host>(std::move(host)));
  }
  std::shuffle(host_list.begin(), host_list.end(), random());
  std::map<GroupName, std::shared_ptr<const Group>> groups;
  for (size_t count = Number(4); count > 0; --count) {
    auto group = std::make_shared<const Group>(AnyGroup());
    groups.insert_or_assign(group->name, group);
  }
  Snapshot::Groups group_list;
  for (const auto& [name, group] : groups) group_list.push_back(group);
  std::map<DistroName, std::shared_ptr<const DeclaredDistro>> declared;
  for (size_t count = Number(4); count > 0; --count) {
    auto distro = std::make_shared<const DeclaredDistro>(AnyDeclaredDistro());
    declared.insert_or_assign(distro->name, distro);
  }
  std::vector<std::shared_ptr<const DeclaredDistro>> declared_list;
  for (const auto& [name, distro] : declared) declared_list.push_back(distro);
  return Snapshot::Create(AnyRevision(), AnySettings(), profile_list, host_list, agent_list,
                          group_list, declared_list)
      .value();
}

}  // namespace autopxe
