#include "server/plan/variable_check.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boot/command_line.h"
#include "boot/ipxe_settings.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

// More agents would hide the rest of the sentence.
constexpr size_t kMaxAgents = 3;

// "no variable sets", "only agent "rack1" sets"; empty if every host gets a value.
std::string WhoSets(const VariableName& name, const Overlay& overlay, const Catalogs& catalogs) {
  if (overlay.settings().variables.count(name) > 0) return "";
  std::vector<std::string> agents;
  for (const auto& [agent, settings] : overlay.agent_settings()) {
    if (settings.variables.count(name) > 0) agents.push_back(Quote(agent.text()));
  }
  if (agents.empty()) return "no variable sets";
  const auto sets = [&](const auto& entry) {
    const auto found = overlay.agent_settings().find(entry.first);
    return found != overlay.agent_settings().end() && found->second.variables.count(name) > 0;
  };
  if (!catalogs.empty() && std::all_of(catalogs.begin(), catalogs.end(), sets)) return "";
  if (agents.size() == 1) return absl::StrCat("only agent ", agents.front(), " sets");
  const size_t more = agents.size() > kMaxAgents ? agents.size() - kMaxAgents : 0;
  agents.resize(agents.size() - more);
  return absl::StrCat("only the agents ", absl::StrJoin(agents, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "", " set");
}

}  // namespace

std::vector<Problem> CheckVariables(const std::map<VariableName, VariableValue>& set,
                                    const std::vector<VariableName>& unset) {
  std::vector<Problem> problems;
  const auto add = [&](Reason reason, std::string field, std::string value, std::string message) {
    Problem problem;
    problem.reason = reason;
    problem.field = std::move(field);
    problem.value = std::move(value);
    problem.message = std::move(message);
    problems.push_back(std::move(problem));
  };
  for (const auto& [name, value] : set) {
    const char* whose = nullptr;
    if (IsBuiltInVariable(name.text())) {
      whose = "a name that every boot sets itself";
    } else if (IsIpxeSetting(name.text())) {
      whose = "a setting of iPXE's own";
    }
    if (whose == nullptr) continue;
    add(Reason::kMalformed, absl::StrCat("set_variables.", name.text()), value.text(),
        absl::StrCat("variable ", Quote(name.text()), ": that is ", whose,
                     ", which a template would get instead; choose another name"));
  }
  for (const VariableName& name : unset) {
    if (set.count(name) == 0) continue;
    add(Reason::kBatchInvalid, "unset_variables", name.text(),
        absl::StrCat("variable ", Quote(name.text()), ": both set and unset"));
  }
  return problems;
}

std::vector<Problem> CheckTemplate(const ProfileName& profile,
                                   const CommandLineTemplate& command_line) {
  std::vector<Problem> problems;
  for (const std::string& name : UselessDefaults(command_line)) {
    Problem problem;
    problem.reason = Reason::kMalformed;
    problem.field = "command_line";
    problem.value = command_line.text();
    problem.message = absl::StrCat(
        "profile ", Quote(profile.text()), ": ", Quote(name), " can't have a default, since ",
        IsBuiltInVariable(name) ? "every boot sets it" : "iPXE itself fills it in", "; write ${",
        name, "}");
    problems.push_back(std::move(problem));
  }
  return problems;
}

std::vector<std::string> WarningsOfUnsetVariables(const Overlay& overlay, const Catalogs& catalogs,
                                                  const std::set<ProfileName>& set_profiles,
                                                  const std::set<std::string>& unset_variables) {
  std::vector<std::string> warnings;
  if (set_profiles.empty() && unset_variables.empty()) return warnings;
  std::map<std::string, std::string> who_sets;  // By variable: asking every agent is dear.
  for (const auto& [profile_name, profile] : overlay.profiles()) {
    const bool was_set = set_profiles.count(profile_name) > 0;
    for (const std::string& required : RequiredVariables(profile.command_line)) {
      if (!was_set && unset_variables.count(required) == 0) continue;
      const auto [who, is_new] = who_sets.try_emplace(required);
      if (is_new) {
        const absl::StatusOr<VariableName> name = VariableName::Parse(required);
        who->second = name.ok() ? WhoSets(*name, overlay, catalogs) : "no variable sets";
      }
      if (who->second.empty()) continue;
      warnings.push_back(absl::StrCat("profile ", Quote(profile_name.text()), " uses ${", required,
                                      "}, which ", who->second));
    }
  }
  return warnings;
}

}  // namespace autopxe::server
