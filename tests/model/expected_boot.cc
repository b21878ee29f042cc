// What a host that starts gets.

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "tests/model/expected.h"

namespace autopxe::tests {
namespace {

// One requirement: "rack=r1", "rack!=r1", "rack in (r1,r2)", "rack notin (r1,r2)", "rack", "!rack".
bool MeetsOne(absl::string_view requirement, const Expected::Texts& labels) {
  const auto value_of = [&](absl::string_view key) {
    const auto found = labels.find(std::string(key));
    return found == labels.end() ? "(none)" : found->second;
  };
  const auto is_one_of = [&](absl::string_view key, absl::string_view values) {
    for (const absl::string_view value : absl::StrSplit(values, absl::ByAnyChar("(),"))) {
      if (!value.empty() && value == value_of(key)) return true;
    }
    return false;
  };
  for (const auto& [word, wanted] : {std::pair(" notin ", false), std::pair(" in ", true),
                                     std::pair("!=", false), std::pair("=", true)}) {
    const size_t at = requirement.find(word);
    if (at == absl::string_view::npos) continue;
    return is_one_of(requirement.substr(0, at),
                     requirement.substr(at + std::string(word).size())) == wanted;
  }
  const bool wanted = requirement[0] != '!';
  return (value_of(requirement.substr(wanted ? 0 : 1)) != "(none)") == wanted;
}

// Requirements stand between commas, but for those between values.
bool Meets(absl::string_view selector, const Expected::Texts& labels) {
  size_t begin = 0;
  bool in_values = false;
  for (size_t i = 0; i <= selector.size(); ++i) {
    if (i < selector.size() && selector[i] == '(') in_values = true;
    if (i < selector.size() && selector[i] == ')') in_values = false;
    if (i < selector.size() && (selector[i] != ',' || in_values)) continue;
    if (!MeetsOne(selector.substr(begin, i - begin), labels)) return false;
    begin = i + 1;
  }
  return true;
}

// Puts values in place of "${name}" and "${name:-default}". False: one without a default has none.
bool Expand(const std::string& command_line, const Expected::Texts& values, std::string& expanded) {
  size_t at = 0;
  while (true) {
    const size_t begin = command_line.find("${", at);
    expanded += command_line.substr(at, begin - at);
    if (begin == std::string::npos) return true;
    const size_t end = command_line.find('}', begin);
    std::string name = command_line.substr(begin + 2, end - begin - 2);
    const size_t otherwise = name.find(":-");
    const auto value = values.find(name.substr(0, otherwise));
    if (value != values.end()) {
      expanded += value->second;
    } else if (otherwise != std::string::npos) {
      expanded += name.substr(otherwise + 2);
    } else {
      return false;
    }
    at = end + 1;
  }
}

}  // namespace

std::vector<Expected::Group> Expected::GroupsOf(const Host& host) const {
  std::vector<std::tuple<int, std::string, Group>> found;
  for (const auto& [name, group] : groups_) {
    if (Meets(group.selector, host.labels)) found.emplace_back(-group.priority, name, group);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  std::vector<Group> groups;
  for (const auto& [priority, name, group] : found) groups.push_back(group);
  return groups;
}

std::string Expected::DistroOf(const Host* host, int64_t now) const {
  std::string distro;
  if (host == nullptr) {
    distro = settings_.unknown_hosts;
  } else if (!host->next.empty()) {
    distro = host->next;
  } else if (!host->timed.empty() && now < host->until) {
    distro = host->timed;
  } else {
    distro = host->distro;
    for (const Group& group : GroupsOf(*host)) {
      if (distro.empty()) distro = group.distro;
    }
  }
  if (distro.empty()) distro = settings_.default_distro;
  return distro.empty() ? "menu" : distro;
}

Expected::Texts Expected::VariablesOf(const Host* host) const {
  Texts variables = settings_.variables;
  if (host == nullptr) return variables;
  std::vector<Group> groups = GroupsOf(*host);
  std::reverse(groups.begin(), groups.end());
  for (const Group& group : groups) {
    for (const auto& [name, value] : group.variables) variables[name] = value;
  }
  for (const auto& [name, value] : host->variables) variables[name] = value;
  return variables;
}

Expected::Boot Expected::Decide(const std::string& mac, const std::string& rootfs_folder,
                                int64_t now) const {
  const std::string name = Find(mac);
  const Host* const host = name.empty() ? nullptr : &hosts_.at(name);
  Boot boot;
  boot.distro = DistroOf(host, now);
  Texts values = VariablesOf(host);
  values["host"] = name.empty() ? mac : name;
  if (const auto declared = declared_.find(boot.distro); declared != declared_.end()) {
    boot.boots = HasAllFiles(declared->second) &&
                 Expand(declared->second.arguments, values, boot.command_line);
    if (!boot.boots) boot.command_line.clear();
    return boot;
  }
  const size_t slash = boot.distro.rfind('/');
  if (slash == std::string::npos) return boot;  // A built-in one, or one that is not declared.
  const std::string kernel = boot.distro.substr(0, slash);
  const auto profile = profiles_.find(boot.distro.substr(slash + 1));
  if (!IsOffered(kernel) || profile == profiles_.end()) return boot;
  const std::vector<std::string> parts = absl::StrSplit(kernel, '/');
  const std::string& prefix =
      settings_.rootfs_path_prefix.empty() ? rootfs_folder : settings_.rootfs_path_prefix;
  boot.rootfs_path = absl::StrCat(prefix, "/", parts[0], "/", parts[1]);
  values["rootfs-path"] = boot.rootfs_path;
  boot.boots = Expand(profile->second.command_line, values, boot.command_line);
  if (!boot.boots) boot.command_line.clear();
  return boot;
}

}  // namespace autopxe::tests
