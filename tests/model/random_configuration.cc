#include "tests/model/random_configuration.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"

namespace autopxe::tests {
namespace {

using Group = PlainConfiguration::Group;
using Host = PlainConfiguration::Host;

const std::vector<std::string> kProfiles = {"nfsrw", "overlayfs"};
const std::vector<std::string> kVariables = {"v0", "v1", "v2", "nfs-server"};
const std::vector<std::string> kBuiltInDistros = {"local", "menu", "wait", "ignore"};
const std::vector<std::string> kKernels = {
    "debian/bookworm/latest",         "debian/bookworm/latest", "debian/stable/latest",
    "debian/bookworm/6.1.0-26-amd64", "ubuntu/jammy/latest",    "debian/forky/latest"};

std::string SomeDistro(Random& random) {
  if (random.OneIn(4)) return random.Of(kBuiltInDistros);
  const std::string profile = random.OneIn(12) ? "none" : random.Of(kProfiles);
  return absl::StrCat(random.Of(kKernels), "/", profile);
}

std::string MaybeDistro(Random& random, int one_in) {
  return random.OneIn(one_in) ? SomeDistro(random) : "";
}

// Values that are harmless alone, and not all of them beside each other.
PlainVariables SomeVariables(Random& random) {
  static const std::vector<std::string> values = {
      "", "$", "{v1}", "a b", "x$", "10.1.1.1", "x%20# ;y", "ttyS0,115200", "-n"};
  PlainVariables variables;
  for (int i = random.Below(4); i > 0; --i) variables[random.Of(kVariables)] = random.Of(values);
  return variables;
}

std::string SomeTemplate(Random& random) {
  static const std::vector<std::string> parts = {
      "root=/dev/nfs nfsroot=${nfs-server:-10.9.9.9}:${rootfs-path}",
      " ",
      " at=${agent-address}",
      " of=${agent}/${host}/${mac}",
      " ${v0}",
      " console=${v1:-ttyS0}",
      " ${v0:-}${v1:-}",
      " ${v2:-one two}",
      " ${distro}:${distro-name}:${release}:${kernel}:${arch}",
      " BOOTIF=${bootif} ${uuid} ${net0/mac}",
      " price=5$",
      " {b}",
      " quiet"};
  std::string text;
  for (int i = random.Below(5); i > 0; --i) text += random.Of(parts);
  return text;
}

Host SomeHost(Random& random, const std::string& name) {
  Host host{.name = random.OneIn(2) ? name : "",
            .macs = {},
            .standing = MaybeDistro(random, 2),
            .timed = MaybeDistro(random, 4),
            .next = MaybeDistro(random, 4),
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

PlainConfiguration RandomConfiguration(Random& random, const std::vector<std::string>& agents) {
  PlainConfiguration configuration{.default_distro = MaybeDistro(random, 2),
                                   .unknown_hosts = MaybeDistro(random, 3),
                                   .rootfs_path_prefix = random.OneIn(2) ? "/pxe/rootfs" : "",
                                   .menu_timeout = random.Below(3),
                                   .variables = SomeVariables(random)};
  for (const std::string& profile : kProfiles) {
    configuration.profiles[profile] = SomeTemplate(random);
  }
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

}  // namespace autopxe::tests
