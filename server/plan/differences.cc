#include "server/plan/differences.h"

#include <map>
#include <set>
#include <string>
#include <utility>

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
    std::set<VariableName> names;
    for (const auto* variables : {&before, &after}) {
      for (const auto& [name, value] : *variables) names.insert(name);
    }
    for (const VariableName& name : names) {
      const auto old_value = before.find(name);
      const auto new_value = after.find(name);
      const bool had = old_value != before.end();
      const bool has = new_value != after.end();
      if (had && has && old_value->second == new_value->second) continue;
      // Added also when both texts are empty: a variable that is set to nothing is not one that is
      // unset.
      Add(absl::StrCat("variables.", name.text()), had ? old_value->second.text() : "",
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
    comparison.Compare("macs", old == nullptr ? "" : TextOf(old->macs),
                       now == nullptr ? "" : TextOf(now->macs));
    comparison.Compare("distro", old == nullptr ? "" : TextOf(old->distro),
                       now == nullptr ? "" : TextOf(now->distro));
  }
}

}  // namespace

std::vector<Difference> Compare(const Snapshot& before, const Change& change) {
  std::vector<Difference> differences;
  if (change.settings) CompareSettings(before.settings(), *change.settings, &differences);
  CompareAgentSettings(before, change, &differences);
  CompareProfiles(before, change, &differences);
  CompareHosts(before, change, &differences);
  return differences;
}

}  // namespace autopxe::server
