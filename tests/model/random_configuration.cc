#include "tests/model/random_configuration.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace autopxe::tests {
namespace {

using Declared = PlainConfiguration::Declared;
using Group = PlainConfiguration::Group;
using Host = PlainConfiguration::Host;

constexpr char kLocalBoot[] = "local-boot";

const std::vector<std::string> kProfiles = {"nfsrw", "overlayfs"};
const std::vector<std::string> kVariables = {"v0", "v1", "v2", "nfs-server", kLocalBoot};
const std::vector<std::string> kBuiltInDistros = {"local", "menu", "wait", "ignore"};
const std::vector<std::string> kKernels = {
    "debian/bookworm/latest",         "debian/bookworm/latest", "debian/stable/latest",
    "debian/bookworm/6.1.0-26-amd64", "ubuntu/jammy/latest",    "debian/forky/latest"};

// All are declared but the last one.
const std::vector<std::string> kDeclared = {"chained", "installer", "memtest",
                                            "rescue",  "update",    "undeclared"};
const std::vector<std::string> kUrls = {"http://mirror.example/linux?x=1&y=%2f",
                                        "https://mirror.example:8443/initrd.gz",
                                        "tftp://10.0.0.1/boot/;x"};

std::string SomeDistro(Random& random) {
  if (random.OneIn(4)) return random.Of(kBuiltInDistros);
  if (random.OneIn(3)) return random.Of(kDeclared);
  const std::string profile = random.OneIn(12) ? "none" : random.Of(kProfiles);
  return absl::StrCat(random.Of(kKernels), "/", profile);
}

std::string MaybeDistro(Random& random, int one_in) {
  return random.OneIn(one_in) ? SomeDistro(random) : "";
}

// Of the built-in ones, only "local" can be for the next boot.
std::string MaybeNext(Random& random) {
  const std::string next = MaybeDistro(random, 4);
  const bool is_built_in =
      std::find(kBuiltInDistros.begin(), kBuiltInDistros.end(), next) != kBuiltInDistros.end();
  return is_built_in ? "local" : next;
}

// Values that are harmless alone, and not all of them beside each other.
PlainVariables SomeVariables(Random& random) {
  static const std::vector<std::string> values = {
      "", "$", "{v1}", "a b", "x$", "10.1.1.1", "x%20# ;y", "ttyS0,115200", "-n"};
  static const std::vector<std::string> local_boots = {"exit", "exit-ok", "sanboot"};
  PlainVariables variables;
  for (int i = random.Below(4); i > 0; --i) {
    const std::string& name = random.Of(kVariables);
    variables[name] = random.Of(name == kLocalBoot ? local_boots : values);
  }
  return variables;
}

// `is_scanned`: it may use what only a scanned kernel has.
std::string SomeTemplate(Random& random, bool is_scanned) {
  static const std::vector<std::string> of_scanned = {
      "root=/dev/nfs nfsroot=${nfs-server:-10.9.9.9}:${rootfs-path}",
      " ${distro}:${distro-name}:${release}:${kernel}:${arch}"};
  static const std::vector<std::string> parts = {" ",
                                                 " at=${agent-address}",
                                                 " of=${agent}/${host}/${mac}",
                                                 " ${v0}",
                                                 " console=${v1:-ttyS0}",
                                                 " ${v0:-}${v1:-}",
                                                 " ${v2:-one two}",
                                                 " of-distro=${distro}",
                                                 " BOOTIF=${bootif} ${uuid} ${net0/mac}",
                                                 " price=5$",
                                                 " {b}",
                                                 " quiet"};
  std::string text;
  for (int i = random.Below(5); i > 0; --i) {
    text += random.Of(is_scanned && random.OneIn(5) ? of_scanned : parts);
  }
  return text;
}

std::string SomeFile(Random& random) { return random.Of(random.OneIn(3) ? kUrls : PlainFiles()); }

Declared SomeKernel(Random& random, int initrds) {
  Declared kernel = {.kernel = SomeFile(random),
                     .chain = "",
                     .initrds = {},
                     .arguments = SomeTemplate(random, false),
                     .architecture = ""};
  for (int i = 0; i < initrds; ++i) kernel.initrds.push_back(SomeFile(random));
  return kernel;
}

Declared SomeChain(const std::string& target) {
  return {.kernel = "", .chain = target, .initrds = {}, .arguments = "", .architecture = ""};
}

std::map<std::string, Declared> SomeDeclared(Random& random) {
  std::map<std::string, Declared> declared = {{"chained", SomeChain(random.Of(kUrls))},
                                              {"installer", SomeKernel(random, 3)},
                                              {"memtest", SomeKernel(random, 0)},
                                              {"rescue", SomeKernel(random, 1)},
                                              {"update", SomeChain(random.Of(PlainFiles()))}};
  for (auto& [name, distro] : declared) {
    if (random.OneIn(4)) distro.architecture = random.OneIn(2) ? "x86_64" : "arm64";
  }
  return declared;
}

Host SomeHost(Random& random, const std::string& name) {
  Host host{.name = random.OneIn(2) ? name : "",
            .macs = {},
            .standing = MaybeDistro(random, 2),
            .timed = MaybeDistro(random, 4),
            .next = MaybeNext(random),
            .timed_is_over = random.OneIn(2),
            .labels = {},
            .variables = SomeVariables(random)};
  for (const char* key : {"rack", "gpu"}) {
    if (random.OneIn(2)) host.labels[key] = absl::StrCat("x", random.Below(2));
  }
  return host;
}

Group SomeGroup(Random& random, const std::string& name) {
  return {.name = name,
          .key = random.OneIn(2) ? "rack" : "gpu",
          .value = absl::StrCat("x", random.Below(2)),
          .is_negated = random.OneIn(3),
          .priority = random.Below(3),
          .distro = MaybeDistro(random, 2),
          .variables = SomeVariables(random)};
}

bool IsIn(const Host& host, const Group& group) {
  const auto found = host.labels.find(group.key);
  const bool has = found != host.labels.end() && found->second == group.value;
  return group.is_negated ? !has : has;
}

const Host* FindHost(const PlainConfiguration& configuration, const std::string& mac) {
  for (const Host& host : configuration.hosts) {
    if (std::find(host.macs.begin(), host.macs.end(), mac) != host.macs.end()) return &host;
  }
  return nullptr;
}

template <typename Update>
void SetVariables(const PlainVariables& variables, Update& update) {
  for (const auto& [name, value] : variables) (*update.mutable_set_variables())[name] = value;
  for (const std::string& name : kVariables) {
    if (variables.count(name) == 0) update.add_unset_variables(name);
  }
}

v1::Mutation::Assign& AddAssign(const Host& host, const std::string& distro,
                                v1::ApplyRequest& request) {
  v1::Mutation::Assign& assign = *request.add_mutations()->mutable_assign();
  assign.set_host(host.macs.front());
  assign.set_distro(distro);
  assign.set_allow_missing(true);
  return assign;
}

void AddHost(const Host& host, absl::Time now, v1::ApplyRequest& request) {
  v1::Mutation::CreateHost& create = *request.add_mutations()->mutable_create_host();
  create.set_name(host.name);
  for (const std::string& mac : host.macs) create.add_macs(mac);
  if (!host.labels.empty() || !host.variables.empty()) {
    v1::Mutation::UpdateHost& update = *request.add_mutations()->mutable_update_host();
    update.set_host(host.macs.front());
    for (const auto& [key, value] : host.labels) (*update.mutable_set_labels())[key] = value;
    for (const auto& [name, value] : host.variables) {
      (*update.mutable_set_variables())[name] = value;
    }
  }
  // A standing one would end the one that ends by itself.
  if (!host.standing.empty()) AddAssign(host, host.standing, request);
  if (!host.timed.empty()) {
    const absl::Time until = host.timed_is_over ? now - absl::Hours(1) : now + absl::Hours(30 * 24);
    AddAssign(host, host.timed, request).mutable_until()->set_seconds(absl::ToUnixSeconds(until));
  }
  if (!host.next.empty()) AddAssign(host, host.next, request).set_next_boot(true);
}

void AddDeclared(const std::string& name, const Declared& declared, v1::ApplyRequest& request) {
  v1::DeclaredDistro& distro = *request.add_mutations()->mutable_declare_distro();
  distro.set_name(name);
  distro.set_architecture(declared.architecture);
  if (!declared.chain.empty()) {
    distro.set_chain(declared.chain);
    return;
  }
  distro.mutable_kernel()->set_file(declared.kernel);
  for (const std::string& initrd : declared.initrds) distro.mutable_kernel()->add_initrds(initrd);
  distro.mutable_kernel()->set_arguments(declared.arguments);
}

void AddGroup(const Group& group, v1::ApplyRequest& request) {
  v1::Mutation::SetGroup& set = *request.add_mutations()->mutable_set_group();
  set.set_name(group.name);
  set.set_selector(absl::StrCat(group.key, group.is_negated ? "!=" : "=", group.value));
  set.set_priority(group.priority);
  if (!group.distro.empty()) set.set_distro(group.distro);
  set.set_allow_missing(true);
  for (const auto& [name, value] : group.variables) (*set.mutable_set_variables())[name] = value;
}

}  // namespace

std::vector<std::string> PlainMacs() {
  std::vector<std::string> macs;
  for (int i = 0; i < 8; ++i) macs.push_back(absl::StrCat("52:54:00:00:01:0", i));
  return macs;
}

std::vector<std::string> PlainFiles() {
  return {"d-i/firmware.cpio.gz", "d-i/linux", "fw/update.efi", "memtest/mt86+.bin"};
}

PlainConfiguration RandomConfiguration(Random& random, const std::vector<std::string>& agents) {
  PlainConfiguration configuration{.default_distro = MaybeDistro(random, 2),
                                   .unknown_hosts = MaybeDistro(random, 3),
                                   .rootfs_path_prefix = random.OneIn(2) ? "/pxe/rootfs" : "",
                                   .menu_timeout = random.Below(3),
                                   .variables = SomeVariables(random)};
  for (const std::string& profile : kProfiles) {
    configuration.profiles[profile] = SomeTemplate(random, true);
  }
  configuration.declared = SomeDeclared(random);
  for (int i = random.Below(5); i > 0; --i) {
    configuration.groups.push_back(SomeGroup(random, absl::StrCat("g", i)));
  }
  for (const std::string& mac : PlainMacs()) {
    const int kind = random.Below(4);
    if (kind == 0) continue;  // Nobody names this one.
    if (kind == 1 && !configuration.hosts.empty()) {
      configuration.hosts.back().macs.push_back(mac);
      continue;
    }
    const std::string name = absl::StrCat("cn", configuration.hosts.size());
    configuration.hosts.push_back(SomeHost(random, name));
    configuration.hosts.back().macs.push_back(mac);
  }
  for (const std::string& agent : agents) {
    configuration.agents[agent] = {.default_distro = MaybeDistro(random, 3),
                                   .rootfs_path_prefix = random.OneIn(3) ? "/srv/of/agent" : "",
                                   .variables = SomeVariables(random)};
  }
  return configuration;
}

v1::ApplyRequest BatchOf(const PlainConfiguration& before, const PlainConfiguration& next,
                         absl::Time now) {
  v1::ApplyRequest request;
  // Templates may use variables that nobody sets.
  request.mutable_options()->set_force(true);
  for (const Host& host : before.hosts) {
    request.add_mutations()->mutable_delete_host()->set_host(host.macs.front());
  }
  for (const Group& group : before.groups) {
    request.add_mutations()->mutable_delete_group()->set_name(group.name);
  }
  for (const auto& [name, command_line] : next.profiles) {
    v1::Mutation::SetProfile& set = *request.add_mutations()->mutable_set_profile();
    set.set_name(name);
    set.set_command_line(command_line);
  }
  for (const auto& [name, declared] : next.declared) AddDeclared(name, declared, request);
  v1::Mutation::UpdateSettings& settings = *request.add_mutations()->mutable_update_settings();
  settings.set_default_distro(next.default_distro);
  settings.set_unknown_hosts(next.unknown_hosts);
  settings.set_allow_missing(true);
  settings.set_rootfs_path_prefix(next.rootfs_path_prefix);
  settings.mutable_menu_timeout()->set_seconds(next.menu_timeout);
  SetVariables(next.variables, settings);
  for (const auto& [id, agent] : next.agents) {
    v1::Mutation::UpdateAgentSettings& own =
        *request.add_mutations()->mutable_update_agent_settings();
    own.set_agent_id(id);
    own.set_default_distro(agent.default_distro);
    own.set_allow_missing(true);
    own.set_rootfs_path_prefix(agent.rootfs_path_prefix);
    SetVariables(agent.variables, own);
  }
  for (const Group& group : next.groups) AddGroup(group, request);
  for (const Host& host : next.hosts) AddHost(host, now, request);
  return request;
}

std::string NaiveDistro(const PlainConfiguration& configuration, const std::string& agent,
                        const std::string& mac) {
  if (const Host* const host = FindHost(configuration, mac)) {
    if (!host->next.empty()) return host->next;
    if (!host->timed.empty() && !host->timed_is_over) return host->timed;
    if (!host->standing.empty()) return host->standing;
    const Group* best = nullptr;
    for (const Group& group : configuration.groups) {
      if (group.distro.empty() || !IsIn(*host, group)) continue;
      if (best == nullptr || std::make_tuple(-group.priority, group.name) <
                                 std::make_tuple(-best->priority, best->name)) {
        best = &group;
      }
    }
    if (best != nullptr) return best->distro;
  } else if (!configuration.unknown_hosts.empty()) {
    return configuration.unknown_hosts;
  }
  const std::string& of_agent = configuration.agents.at(agent).default_distro;
  if (!of_agent.empty()) return of_agent;
  return configuration.default_distro.empty() ? "menu" : configuration.default_distro;
}

bool NaivelyLacks(const PlainConfiguration& configuration, const std::string& distro,
                  const std::string& lacked) {
  if (absl::StrContains(distro, "/") ||
      std::find(kBuiltInDistros.begin(), kBuiltInDistros.end(), distro) != kBuiltInDistros.end()) {
    return false;
  }
  const auto found = configuration.declared.find(distro);
  if (found == configuration.declared.end()) return true;
  if (lacked.empty()) return false;
  const Declared& declared = found->second;
  return declared.kernel == lacked || declared.chain == lacked ||
         std::find(declared.initrds.begin(), declared.initrds.end(), lacked) !=
             declared.initrds.end();
}

}  // namespace autopxe::tests
