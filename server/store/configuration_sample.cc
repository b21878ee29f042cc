#include "server/store/configuration_sample.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace autopxe::server {
namespace {

std::string Describe(const absl::optional<Distro>& distro) {
  return distro ? distro->Format() : "-";
}

std::string Describe(const Revision& revision) {
  return absl::StrCat(revision.id.Format(), " ", absl::ToUnixMicros(revision.time), " ",
                      revision.user, " ", revision.origin, " ", revision.request_id, "\n");
}

std::string Describe(const Settings& settings) {
  std::string text = absl::StrCat(
      "settings ", settings.etag, " ", Describe(settings.default_distro), " ",
      Describe(settings.unknown_hosts), " ", absl::FormatDuration(settings.menu_timeout), " ",
      settings.rootfs_path_prefix ? settings.rootfs_path_prefix->text() : "-");
  for (const auto& [name, value] : settings.variables) {
    absl::StrAppend(&text, " ", name.text(), "=", value.text());
  }
  return text + "\n";
}

std::string Describe(const AgentSettings& settings) {
  std::string text = absl::StrCat(
      "agent ", settings.agent.text(), " ", settings.etag, " ", Describe(settings.default_distro),
      " ", settings.rootfs_path_prefix ? settings.rootfs_path_prefix->text() : "-");
  for (const auto& [name, value] : settings.variables) {
    absl::StrAppend(&text, " ", name.text(), "=", value.text());
  }
  return text + "\n";
}

std::string Describe(const Profile& profile) {
  return absl::StrCat("profile ", profile.name.text(), " ", profile.etag, " ",
                      profile.command_line.text(), "\n");
}

std::string Describe(const DeclaredDistro& distro) {
  std::string text = absl::StrCat("distro ", distro.name.text(), " ", distro.etag, " ",
                                  FormatArchitecture(distro.architecture),
                                  distro.boot.index() == 0 ? " kernel" : " chain");
  for (const BootFile* const file : FilesOf(distro)) absl::StrAppend(&text, " ", file->text());
  if (const auto* kernel = std::get_if<DeclaredKernel>(&distro.boot)) {
    absl::StrAppend(&text, " \"", kernel->arguments.text(), "\"");
  }
  return text + "\n";
}

template <typename Map>
std::string DescribeMap(absl::string_view prefix, const Map& map) {
  std::string text;
  for (const auto& [name, value] : map) {
    absl::StrAppend(&text, " ", prefix, name.text(), "=", value.text());
  }
  return text;
}

std::string Describe(const Group& group) {
  return absl::StrCat("group ", group.name.text(), " ", group.etag, " ", group.priority, " ",
                      group.selector.text(), " ", Describe(group.distro),
                      DescribeMap("", group.variables), "\n");
}

std::string Describe(const Host& host) {
  std::string text = absl::StrCat("host ", static_cast<int64_t>(host.id), " ", host.name.text(),
                                  " ", host.etag, " ", Describe(host.distro));
  for (const MacAddress& mac : host.macs) absl::StrAppend(&text, " ", mac.Format());
  if (host.timed) {
    absl::StrAppend(&text, " timed ", host.timed->distro.Format(), " ",
                    absl::ToUnixMicros(host.timed->until));
  }
  if (host.next) {
    absl::StrAppend(&text, " next ", host.next->distro.Format(), " ", host.next->token);
  }
  return absl::StrCat(text, DescribeMap("label ", host.labels), DescribeMap("", host.variables),
                      " \"", host.note.text(), "\"", host.locked ? " locked" : "", "\n");
}

}  // namespace

MacAddress SampleMac(int number) { return MacAddress::FromNumber(0x525400000000 + number); }

Assign SampleAssign(int mac, absl::string_view distro) {
  return {.host = SampleMac(mac), .distro = *Distro::Parse(distro)};
}

DeclareDistro SampleDeclare(absl::string_view name, absl::string_view kernel) {
  return {{*DistroName::Parse(name),
           DeclaredKernel{*BootFile::Parse(kernel), {}, *CommandLineTemplate::Parse("")}}};
}

Batch BatchOf(std::vector<Mutation> mutations) {
  return {.mutations = std::move(mutations), .expected_etags = {}};
}

Catalogs SampleCatalogs() {
  auto catalog = std::make_shared<Catalog>();
  catalog->distros = {
      {.name = "debian",
       .releases = {{.name = "bookworm",
                     .alias_of = "",
                     .kernels = {{.name = "latest",
                                  .version = "6.1.0-25-amd64",
                                  .kernel_path = "boot/vmlinuz-6.1.0-25-amd64",
                                  .initrd_path = "boot/initrd.img-6.1.0-25-amd64"}}}}}};
  return {{*AgentId::Parse("lab"), catalog}};
}

Batch SampleSetup() {
  UpdateSettings update;
  update.set_variables = {
      {*VariableName::Parse("nfs-server"), *VariableValue::Parse("172.25.2.11")}};
  return BatchOf({update, SetProfile{*ProfileName::Parse("overlayfs"),
                                     *CommandLineTemplate::Parse("nfs=${nfs-server}")}});
}

UpdateAgentSettings SampleAgentUpdate(absl::string_view agent) {
  return {.agent = *AgentId::Parse(agent),
          .default_distro = {},
          .set_variables = {},
          .unset_variables = {},
          .rootfs_path_prefix = {}};
}

Batch RandomBatch(std::mt19937& random) {
  const auto pick = [&](int below) { return static_cast<int>(random() % below); };
  const auto distro = [&] {
    const char* const distros[] = {"debian/bookworm/latest/overlayfs",
                                   "local",
                                   "wait",
                                   "debian/bookworm/latest/p0",
                                   "debian/none/latest/p1",
                                   "d0",
                                   "d1"};
    return *Distro::Parse(distros[pick(7)]);
  };
  const auto name = [&] { return *HostName::Parse(absl::StrCat("h", pick(8))); };
  const auto host = [&]() -> HostReference {
    if (pick(2) == 0) return SampleMac(pick(12));
    return name();
  };
  const auto profile = [&] { return *ProfileName::Parse(absl::StrCat("p", pick(3))); };
  // What the settings of the whole server and those of an agent have in common.
  const auto fill = [&](auto& update) {
    const auto variable = *VariableName::Parse(absl::StrCat("v", pick(4)));
    if (pick(2) == 0) {
      update.set_variables = {{variable, *VariableValue::Parse(absl::StrCat(pick(3)))}};
    } else {
      update.unset_variables = {variable};
    }
    update.allow_missing = pick(2) == 0;
    if (pick(3) == 0) update.default_distro = pick(2) == 0 ? absl::optional<Distro>() : distro();
    if (pick(3) == 0) {
      update.rootfs_path_prefix = absl::optional<RootfsPathPrefix>();
      if (pick(2) == 0) *update.rootfs_path_prefix = *RootfsPathPrefix::Parse("/pxe/rootfs");
    }
  };
  Batch batch;
  for (int left = 1 + pick(5); left > 0; --left) {
    switch (pick(15)) {
      case 0:
        batch.mutations.push_back(Unassign{host()});
        break;
      case 1: {
        const int first = pick(12);
        batch.mutations.push_back(CreateHost{name(), {SampleMac(first), SampleMac(first + 1)}});
        break;
      }
      case 2:
        batch.mutations.push_back(DeleteHost{host()});
        break;
      case 3:
        batch.mutations.push_back(
            SetProfile{profile(), *CommandLineTemplate::Parse(absl::StrCat("quiet ", pick(3)))});
        break;
      case 4:
        batch.mutations.push_back(DeleteProfile{profile()});
        break;
      case 5: {
        UpdateSettings update;
        fill(update);
        if (pick(3) == 0) update.menu_timeout = absl::Seconds(1 + pick(3));
        if (pick(3) == 0) {
          update.unknown_hosts = pick(2) == 0 ? absl::optional<Distro>() : distro();
        }
        batch.mutations.push_back(std::move(update));
        break;
      }
      case 6: {
        UpdateAgentSettings update = SampleAgentUpdate(absl::StrCat("agent", pick(3)));
        if (pick(3) > 0) {
          fill(update);
        } else {  // Nothing is left of it.
          update.default_distro = absl::optional<Distro>();
          update.rootfs_path_prefix = absl::optional<RootfsPathPrefix>();
          for (int i = 0; i < 4; ++i) {
            update.unset_variables.push_back(*VariableName::Parse(absl::StrCat("v", i)));
          }
        }
        batch.mutations.push_back(std::move(update));
        break;
      }
      case 7: {
        UpdateHost update{.host = host()};
        const auto variable = *VariableName::Parse(absl::StrCat("v", pick(4)));
        if (pick(2) == 0) {
          update.set_variables = {{variable, *VariableValue::Parse(absl::StrCat("a =", pick(3)))}};
        } else {
          update.unset_variables = {variable};
        }
        const auto label = *LabelKey::Parse(absl::StrCat("l", pick(4)));
        if (pick(2) == 0) {
          update.set_labels = {{label, *LabelValue::Parse(pick(3) == 0 ? "" : "r1")}};
        } else {
          update.unset_labels = {label};
        }
        if (pick(3) == 0) update.name = name();
        if (pick(3) == 0) update.add_macs = {SampleMac(pick(12))};
        if (pick(3) == 0) update.remove_macs = {SampleMac(pick(12))};
        if (pick(3) == 0) update.note = *Note::Parse(pick(2) == 0 ? "" : "broken = fan");
        if (pick(3) == 0) update.locked = pick(2) == 0;
        batch.mutations.push_back(std::move(update));
        break;
      }
      case 8: {
        SetGroup set{.name = *GroupName::Parse(absl::StrCat("g", pick(3))),
                     .allow_missing = pick(2) == 0};
        const char* const selectors[] = {"l0=r1", "l1!=r1,l2", "l3 notin (a,b)"};
        if (pick(4) > 0) set.selector = *Selector::Parse(selectors[pick(3)]);
        if (pick(2) == 0) set.priority = pick(3) - 1;
        if (pick(2) == 0) set.distro = pick(2) == 0 ? absl::optional<Distro>() : distro();
        const auto variable = *VariableName::Parse(absl::StrCat("v", pick(4)));
        if (pick(2) == 0) {
          set.set_variables = {{variable, *VariableValue::Parse(absl::StrCat(pick(3)))}};
        } else {
          set.unset_variables = {variable};
        }
        batch.mutations.push_back(std::move(set));
        break;
      }
      case 9:
        batch.mutations.push_back(DeleteGroup{*GroupName::Parse(absl::StrCat("g", pick(3)))});
        break;
      case 10:
        batch.mutations.push_back(UseNextBoot{HostId{1 + pick(12)}, 1 + pick(60)});
        break;
      case 11: {
        const DistroName declared = *DistroName::Parse(absl::StrCat("d", pick(3)));
        const auto architecture = pick(2) == 0 ? Architecture::kUnknown : Architecture::kX86_64;
        if (pick(3) == 0) {
          batch.mutations.push_back(
              DeclareDistro{{declared, DeclaredChain{*BootFile::Parse("http://boot.example/a?b=1")},
                             architecture}});
          break;
        }
        DeclaredKernel kernel{*BootFile::Parse("installer/linux"),
                              {},
                              *CommandLineTemplate::Parse(pick(2) == 0 ? "" : "host=${host}")};
        for (int i = pick(3); i > 0; --i) {
          kernel.initrds.push_back(*BootFile::Parse(absl::StrCat("installer/initrd", pick(2))));
        }
        batch.mutations.push_back(DeclareDistro{{declared, std::move(kernel), architecture}});
        break;
      }
      case 12:
        batch.mutations.push_back(
            DeleteDeclaredDistro{*DistroName::Parse(absl::StrCat("d", pick(3)))});
        break;
      default: {
        const Term terms[] = {Term(), Term(), NextBootOnly(), absl::Minutes(1 + pick(3))};
        batch.mutations.push_back(Assign{.host = host(),
                                         .distro = distro(),
                                         .allow_missing = pick(2) == 0,
                                         .term = terms[pick(4)]});
      }
    }
  }
  batch.force = pick(2) == 0;
  return batch;
}

std::string Describe(const Snapshot& snapshot) {
  std::string text = absl::StrCat(Describe(snapshot.revision()), Describe(snapshot.settings()));
  for (const auto& [agent, settings] : snapshot.agent_settings()) {
    absl::StrAppend(&text, Describe(settings));
  }
  for (const auto& group : snapshot.groups()) absl::StrAppend(&text, Describe(*group));
  for (const auto& [name, profile] : snapshot.profiles()) {
    absl::StrAppend(&text, Describe(profile));
  }
  for (const auto& [name, distro] : snapshot.declared_distros()) {
    absl::StrAppend(&text, Describe(*distro));
  }
  for (const auto& host : snapshot.HostsByName()) absl::StrAppend(&text, Describe(*host));
  return text;
}

std::string Describe(const Change& change) {
  std::string text = absl::StrCat(change.base.Format(), " -> ", Describe(change.revision));
  if (change.settings) absl::StrAppend(&text, Describe(*change.settings));
  for (const AgentSettings& settings : change.agent_settings) {
    absl::StrAppend(&text, Describe(settings));
  }
  for (const AgentId& agent : change.deleted_agent_settings) {
    absl::StrAppend(&text, "nothing for agent ", agent.text(), "\n");
  }
  for (const auto& group : change.groups) absl::StrAppend(&text, Describe(*group));
  for (const GroupName& name : change.deleted_groups) {
    absl::StrAppend(&text, "no group ", name.text(), "\n");
  }
  for (const Profile& profile : change.profiles) absl::StrAppend(&text, Describe(profile));
  for (const ProfileName& name : change.deleted_profiles) {
    absl::StrAppend(&text, "no profile ", name.text(), "\n");
  }
  for (const auto& distro : change.declared_distros) absl::StrAppend(&text, Describe(*distro));
  for (const DistroName& name : change.deleted_declared_distros) {
    absl::StrAppend(&text, "no distro ", name.text(), "\n");
  }
  for (const auto& host : change.hosts) absl::StrAppend(&text, Describe(*host));
  for (const HostId id : change.deleted_hosts) {
    absl::StrAppend(&text, "no host ", static_cast<int64_t>(id), "\n");
  }
  return text;
}

}  // namespace autopxe::server
