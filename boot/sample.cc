#include "boot/sample.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace autopxe {

Sample::Sample()
    : agent{.id = AgentId::Parse("lab").value(),
            .rootfs_folder = "/srv/rootfs",
            .advertise = {},
            .http_port = 8080,
            .tftp_port = 69} {
  settings.default_distro = Distro::Parse("debian/bookworm/latest/overlayfs").value();
  settings.rootfs_path_prefix = RootfsPathPrefix::Parse("/pxe/rootfs").value();
  settings.variables = VariablesOf({{"nfs-server", "172.25.2.11"}});
  profiles = {
      {"nfsrw", "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rw"},
      {"overlayfs", "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} ip=dhcp rootovl"},
  };
  AddHost("node1", "bc2411b01ade", "debian/bookworm/latest/overlayfs");
  catalog.distros = {{.name = "debian", .releases = {ReleaseWith("bookworm", "6.1.0-25-amd64")}}};
}

void Sample::AddHost(absl::string_view name, absl::string_view mac, absl::string_view distro) {
  hosts.push_back(std::make_shared<const Host>(
      Host{.id = HostId(static_cast<int64_t>(hosts.size()) + 1),
           .name = HostName::Parse(name).value(),
           .macs = {MacAddress::Parse(mac).value()},
           .distro = distro.empty() ? absl::optional<Distro>() : Distro::Parse(distro).value(),
           .etag = 1}));
}

void Sample::DeclareKernel(absl::string_view name, absl::string_view kernel,
                           const std::vector<std::string>& initrds, absl::string_view arguments,
                           Architecture architecture) {
  DeclaredKernel made = {.kernel = BootFile::Parse(kernel).value(),
                         .initrds = {},
                         .arguments = CommandLineTemplate::Parse(arguments).value()};
  for (const std::string& initrd : initrds) made.initrds.push_back(*BootFile::Parse(initrd));
  declared.push_back(
      std::make_shared<const DeclaredDistro>(DeclaredDistro{.name = DistroName::Parse(name).value(),
                                                            .boot = std::move(made),
                                                            .architecture = architecture,
                                                            .etag = 1}));
}

void Sample::DeclareChain(absl::string_view name, absl::string_view target,
                          Architecture architecture) {
  declared.push_back(std::make_shared<const DeclaredDistro>(
      DeclaredDistro{.name = DistroName::Parse(name).value(),
                     .boot = DeclaredChain{BootFile::Parse(target).value()},
                     .architecture = architecture,
                     .etag = 1}));
}

void Sample::SetFiles(const std::vector<std::string>& paths) {
  catalog.files.clear();
  for (const std::string& path : paths) catalog.files.push_back({.path = path, .size = 1});
}

std::shared_ptr<const Snapshot> Sample::Build() const {
  std::vector<Profile> all;
  for (const auto& [name, text] : profiles) {
    all.push_back({.name = ProfileName::Parse(name).value(),
                   .command_line = CommandLineTemplate::Parse(text).value(),
                   .etag = 1});
  }
  return Snapshot::Create(Revision(), settings, std::move(all), hosts, agent_settings, {}, declared)
      .value();
}

AgentSettings SettingsFor(absl::string_view agent) {
  return {.agent = AgentId::Parse(agent).value(),
          .default_distro = {},
          .variables = {},
          .rootfs_path_prefix = {},
          .etag = 1};
}

std::map<VariableName, VariableValue> VariablesOf(
    const std::map<std::string, std::string>& variables) {
  std::map<VariableName, VariableValue> values;
  for (const auto& [name, value] : variables) {
    values.emplace(VariableName::Parse(name).value(), VariableValue::Parse(value).value());
  }
  return values;
}

CatalogRelease ReleaseWith(absl::string_view name, absl::string_view version) {
  const std::string kernel = absl::StrCat("boot/vmlinuz-", version);
  const std::string initrd = absl::StrCat("boot/initrd.img-", version);
  CatalogRelease release;
  release.name = std::string(name);
  for (const absl::string_view kernel_name : {absl::string_view("latest"), version}) {
    release.kernels.push_back({.name = std::string(kernel_name),
                               .version = std::string(version),
                               .kernel_path = kernel,
                               .initrd_path = initrd});
  }
  return release;
}

HostFacts FactsOf(absl::string_view mac, Transport transport, Stage stage) {
  return {.mac = MacAddress::Parse(mac).value(),
          .transport = transport,
          .stage = stage,
          .asked_at = IpAddress::Parse("10.77.0.1").value(),
          .platform = Platform::kUnknown,
          .build_arch = ""};
}

}  // namespace autopxe
