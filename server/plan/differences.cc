#include "server/plan/differences.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"

namespace autopxe::server {
namespace {

std::string TextOf(const absl::optional<Distro>& distro) {
  return distro.has_value() ? distro->Format() : "";
}

std::string TextOf(const std::vector<MacAddress>& macs) {
  return absl::StrJoin(macs, ", ", [](std::string* out, const MacAddress& mac) {
    absl::StrAppend(out, mac.Format());
  });
}

std::string TextOf(HostId id) { return absl::StrCat(static_cast<int64_t>(id)); }

std::string TextOf(const absl::optional<RootfsPathPrefix>& prefix) {
  return prefix.has_value() ? prefix->text() : "";
}

// Gathers the differences of one resource.
class Comparison {
 public:
  Comparison(std::string kind, std::string name, std::vector<Difference>* differences)
      : kind_(std::move(kind)), name_(std::move(name)), differences_(*differences) {}

  void Compare(std::string field, std::string before, std::string after) {
    if (before != after) Add(std::move(field), std::move(before), std::move(after));
  }

  void CompareVariables(const std::map<VariableName, VariableValue>& before,
                        const std::map<VariableName, VariableValue>& after) {
    CompareMaps("variables.", before, after);
  }

  template <typename Map>
  void CompareMaps(absl::string_view prefix, const Map& before, const Map& after) {
    std::set<typename Map::key_type> names;
    for (const Map* map : {&before, &after}) {
      for (const auto& [name, value] : *map) names.insert(name);
    }
    for (const auto& name : names) {
      const auto old_value = before.find(name);
      const auto new_value = after.find(name);
      const bool had = old_value != before.end();
      const bool has = new_value != after.end();
      if (had && has && old_value->second == new_value->second) continue;
      // Added also when both texts are empty: what is set to nothing is not unset.
      Add(absl::StrCat(prefix, name.text()), had ? old_value->second.text() : "",
          has ? new_value->second.text() : "");
    }
  }

  void Add(std::string field, std::string before, std::string after) {
    differences_.push_back({kind_, name_, std::move(field), std::move(before), std::move(after)});
  }

 private:
  const std::string kind_;
  const std::string name_;
  std::vector<Difference>& differences_;
};

void CompareSettings(const Settings& before, const Settings& after,
                     std::vector<Difference>* differences) {
  Comparison comparison("settings", "", differences);
  comparison.Compare("default_distro", TextOf(before.default_distro), TextOf(after.default_distro));
  comparison.Compare("menu_timeout", absl::FormatDuration(before.menu_timeout),
                     absl::FormatDuration(after.menu_timeout));
  comparison.Compare("rootfs_path_prefix", TextOf(before.rootfs_path_prefix),
                     TextOf(after.rootfs_path_prefix));
  comparison.Compare("unknown_hosts", TextOf(before.unknown_hosts), TextOf(after.unknown_hosts));
  comparison.CompareVariables(before.variables, after.variables);
}

void CompareAgentSettings(const Snapshot& before, const Change& change,
                          std::vector<Difference>* differences) {
  const auto nothing = [](const AgentId& agent) {
    return AgentSettings{
        .agent = agent, .default_distro = {}, .variables = {}, .rootfs_path_prefix = {}};
  };
  std::map<AgentId, AgentSettings> touched;
  for (const AgentId& agent : change.deleted_agent_settings) {
    touched.insert_or_assign(agent, nothing(agent));
  }
  for (const AgentSettings& settings : change.agent_settings) {
    touched.insert_or_assign(settings.agent, settings);
  }
  for (const auto& [agent, after] : touched) {
    const AgentSettings* const found = before.FindAgentSettings(agent);
    const AgentSettings old = found == nullptr ? nothing(agent) : *found;
    Comparison comparison("agent", agent.text(), differences);
    comparison.Compare("default_distro", TextOf(old.default_distro), TextOf(after.default_distro));
    comparison.Compare("rootfs_path_prefix", TextOf(old.rootfs_path_prefix),
                       TextOf(after.rootfs_path_prefix));
    comparison.CompareVariables(old.variables, after.variables);
  }
}

void CompareProfiles(const Snapshot& before, const Change& change,
                     std::vector<Difference>* differences) {
  std::map<ProfileName, const Profile*> touched;  // Null: deleted.
  for (const ProfileName& name : change.deleted_profiles) touched[name] = nullptr;
  for (const Profile& profile : change.profiles) touched[profile.name] = &profile;
  for (const auto& [name, after] : touched) {
    const Profile* const old = before.FindProfile(name);
    // Added also when both texts are empty: a template may be.
    Comparison("profile", name.text(), differences)
        .Add("command_line", old == nullptr ? "" : old->command_line.text(),
             after == nullptr ? "" : after->command_line.text());
  }
}

// Of a declared distro that is not there all is empty.
struct DeclaredDistroTexts {
  explicit DeclaredDistroTexts(const DeclaredDistro* distro) {
    if (distro == nullptr) return;
    if (const auto* declared = std::get_if<DeclaredKernel>(&distro->boot)) {
      kernel = declared->kernel.text();
      initrds = absl::StrJoin(
          declared->initrds, ", ",
          [](std::string* out, const BootFile& initrd) { absl::StrAppend(out, initrd.text()); });
      arguments = declared->arguments.text();
    } else {
      chain = std::get<DeclaredChain>(distro->boot).target.text();
    }
    architecture = std::string(FormatArchitecture(distro->architecture));
  }

  std::string kernel, initrds, arguments, chain, architecture;
};

void CompareDeclaredDistros(const Snapshot& before, const Change& change,
                            std::vector<Difference>* differences) {
  std::map<DistroName, const DeclaredDistro*> touched;  // Null: deleted.
  for (const DistroName& name : change.deleted_declared_distros) touched[name] = nullptr;
  for (const auto& distro : change.declared_distros) touched[distro->name] = distro.get();
  for (const auto& [name, after] : touched) {
    DeclaredDistroTexts was(before.FindDeclaredDistro(name).get());
    DeclaredDistroTexts is(after);
    Comparison comparison("distro", name.text(), differences);
    comparison.Compare("kernel", std::move(was.kernel), std::move(is.kernel));
    comparison.Compare("initrds", std::move(was.initrds), std::move(is.initrds));
    comparison.Compare("arguments", std::move(was.arguments), std::move(is.arguments));
    comparison.Compare("chain", std::move(was.chain), std::move(is.chain));
    comparison.Compare("architecture", std::move(was.architecture), std::move(is.architecture));
  }
}

void CompareGroups(const Snapshot& before, const Change& change,
                   std::vector<Difference>* differences) {
  std::map<GroupName, std::shared_ptr<const Group>> touched;  // Null: deleted.
  for (const GroupName& name : change.deleted_groups) touched[name] = nullptr;
  for (const auto& group : change.groups) touched[group->name] = group;
  const auto selector = [](const Group* group) {
    return group == nullptr ? "" : group->selector.text();
  };
  const auto priority = [](const Group* group) {
    return group == nullptr ? "" : absl::StrCat(group->priority);
  };
  const auto distro = [](const Group* group) {
    return group == nullptr ? "" : TextOf(group->distro);
  };
  const std::map<VariableName, VariableValue> none;
  for (const auto& [name, after] : touched) {
    const std::shared_ptr<const Group> old = before.FindGroup(name);
    Comparison comparison("group", name.text(), differences);
    comparison.Compare("selector", selector(old.get()), selector(after.get()));
    comparison.Compare("priority", priority(old.get()), priority(after.get()));
    comparison.Compare("distro", distro(old.get()), distro(after.get()));
    comparison.CompareVariables(old == nullptr ? none : old->variables,
                                after == nullptr ? none : after->variables);
  }
}

// Of a host that is not there all is empty.
struct HostTexts {
  explicit HostTexts(const Host* host) {
    if (host == nullptr) return;
    macs = TextOf(host->macs);
    distro = TextOf(host->distro);
    if (host->timed.has_value()) {
      timed = absl::StrCat(
          host->timed->distro.Format(), " until ",
          absl::FormatTime(absl::RFC3339_sec, host->timed->until, absl::UTCTimeZone()));
    }
    if (host->next.has_value()) next = host->next->distro.Format();
    note = host->note.text();
    locked = host->locked ? "true" : "";
    labels = host->labels;
    variables = host->variables;
  }

  std::string macs, distro, timed, next, note, locked;
  Labels labels;
  std::map<VariableName, VariableValue> variables;
};

void CompareHosts(const Snapshot& before, const Change& change,
                  std::vector<Difference>* differences) {
  struct Pair {
    std::shared_ptr<const Host> before;
    std::shared_ptr<const Host> after;
  };
  // By name, since a host that is deleted and made again in one batch is one host to people.
  std::map<HostName, Pair> touched;
  for (const HostId id : change.deleted_hosts) {
    if (auto host = before.FindHost(id); host != nullptr) touched[host->name].before = host;
  }
  for (const auto& host : change.hosts) {
    Pair& pair = touched[host->name];
    pair.after = host;
    if (auto old = before.FindHost(host->id); old != nullptr) pair.before = std::move(old);
  }
  for (const auto& [name, pair] : touched) {
    Comparison comparison("host", name.text(), differences);
    const Host* const old = pair.before.get();
    const Host* const now = pair.after.get();
    if (old != nullptr && now != nullptr) {
      comparison.Compare("id", TextOf(old->id), TextOf(now->id));
      comparison.Compare("name", old->name.text(), now->name.text());
    }
    HostTexts was(old);
    HostTexts is(now);
    comparison.Compare("macs", std::move(was.macs), std::move(is.macs));
    comparison.Compare("distro", std::move(was.distro), std::move(is.distro));
    comparison.Compare("timed", std::move(was.timed), std::move(is.timed));
    comparison.Compare("next_boot", std::move(was.next), std::move(is.next));
    comparison.CompareMaps("labels.", was.labels, is.labels);
    comparison.CompareMaps("variables.", was.variables, is.variables);
    comparison.Compare("note", std::move(was.note), std::move(is.note));
    comparison.Compare("locked", std::move(was.locked), std::move(is.locked));
  }
}

}  // namespace

std::vector<Difference> Compare(const Snapshot& before, const Change& change) {
  std::vector<Difference> differences;
  if (change.settings) CompareSettings(before.settings(), *change.settings, &differences);
  CompareAgentSettings(before, change, &differences);
  CompareGroups(before, change, &differences);
  CompareProfiles(before, change, &differences);
  CompareDeclaredDistros(before, change, &differences);
  CompareHosts(before, change, &differences);
  return differences;
}

}  // namespace autopxe::server
