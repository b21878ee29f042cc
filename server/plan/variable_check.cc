#include "server/plan/variable_check.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "boot/command_line.h"
#include "boot/ipxe_settings.h"
#include "boot/local_boot.h"
#include "boot/resolution.h"
#include "common/model/hostlist.h"
#include "common/model/quote.h"

namespace autopxe::server {
namespace {

// More agents would hide the rest of the sentence.
constexpr size_t kMaxAgents = 3;

// The hosts' names in a sentence.
constexpr size_t kMaxNamesLength = 200;

std::string Subject(const TemplateOwner& owner) {
  if (const auto* profile = std::get_if<ProfileName>(&owner)) {
    return absl::StrCat("profile ", Quote(profile->text()));
  }
  return absl::StrCat("distro ", Quote(std::get<DistroName>(owner).text()));
}

// "boot with it": with a profile. "boot it": a declared distro.
absl::string_view BootIt(const TemplateOwner& owner) {
  return std::holds_alternative<ProfileName>(owner) ? "boot with it" : "boot it";
}

bool Boots(const Distro& distro, const TemplateOwner& owner) {
  if (const auto* profile = std::get_if<ProfileName>(&owner)) {
    return distro.kind() == Distro::Kind::kKernel && distro.profile() == profile->text();
  }
  return distro.kind() == Distro::Kind::kDeclared &&
         distro.name() == std::get<DistroName>(owner).text();
}

// One variable of one template, while it is looked at.
struct Use {
  TemplateOwner owner;
  std::string variable;
  absl::optional<VariableName> name;      // Empty: no variable can be called so.
  std::vector<std::string> agents;        // Which set it, quoted.
  std::vector<const Group*> groups;       // Which set it.
  bool anybody_gets = false;              // Of all hosts, by a group or itself.
  size_t users = 0;                       // Hosts that boot with the template.
  std::vector<std::string> lacking = {};  // Of these, those whose name is worth telling.
};

// Whether every host gets it, whatever its groups are.
bool IsSetForAll(const Snapshot& after, const Catalogs& catalogs, const VariableName& name) {
  if (after.settings().variables.count(name) > 0) return true;
  const auto sets = [&](const auto& entry) {
    const AgentSettings* const own = after.FindAgentSettings(entry.first);
    return own != nullptr && own->variables.count(name) > 0;
  };
  return !catalogs.empty() && std::all_of(catalogs.begin(), catalogs.end(), sets);
}

bool Gets(const Host& host, const Use& use) {
  if (!host.variables.empty() && host.variables.count(*use.name) > 0) return true;
  return std::any_of(use.groups.begin(), use.groups.end(),
                     [&](const Group* group) { return group->selector.Matches(host.labels); });
}

void LookAtHosts(const Snapshot& after, absl::Time now, std::vector<Use>& uses) {
  after.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    const Distro distro = ChooseDistro(after, nullptr, host.get(), now).distro;
    for (Use& use : uses) {
      const bool boots_it = Boots(distro, use.owner);
      if (!use.name.has_value() || (!boots_it && use.anybody_gets)) continue;
      const bool gets = Gets(*host, use);
      use.anybody_gets |= gets;
      if (!boots_it) continue;
      ++use.users;
      if (!gets) use.lacking.push_back(host->name.text());
    }
  });
}

std::string NamesOf(std::vector<std::string> hosts) {
  std::string names = Hostlist::Of(std::move(hosts)).Format();
  if (names.size() > kMaxNamesLength) {
    names.resize(kMaxNamesLength);
    absl::StrAppend(&names, "...");
  }
  return names;
}

std::string AgentsOf(std::vector<std::string> agents) {
  if (agents.size() == 1) return absl::StrCat("only agent ", agents.front(), " sets");
  const size_t more = agents.size() > kMaxAgents ? agents.size() - kMaxAgents : 0;
  agents.resize(agents.size() - more);
  return absl::StrCat("only the agents ", absl::StrJoin(agents, ", "),
                      more > 0 ? absl::StrCat(" and ", more, " more") : "", " set");
}

// What is to be said of a use; nothing if nobody lacks the variable.
absl::optional<UnsetVariable> Judge(Use use) {
  UnsetVariable unset{
      .owner = use.owner,
      .variable = use.variable,
      .reaches_nobody = false,
      .sentence = absl::StrCat(Subject(use.owner), " uses ${", use.variable, "}, which ")};
  std::string& sentence = unset.sentence;
  if (use.users > 0 && use.lacking.empty()) return absl::nullopt;
  if (!use.agents.empty()) {
    absl::StrAppend(&sentence, AgentsOf(std::move(use.agents)));
    return unset;
  }
  if (!use.anybody_gets) {
    unset.reaches_nobody = true;
    absl::StrAppend(&sentence, "no variable sets");
    return unset;
  }
  if (use.users == 0) {
    absl::StrAppend(&sentence, "only some hosts get, by their groups or of their own");
    return unset;
  }
  const size_t lacking = use.lacking.size();
  unset.reaches_nobody = lacking == use.users;
  absl::StrAppend(&sentence,
                  unset.reaches_nobody
                      ? absl::StrCat("none gets of the hosts that ", BootIt(use.owner), ": ")
                      : absl::StrCat(lacking, " of the ", use.users, " hosts that ",
                                     BootIt(use.owner), " don't get: "),
                  NamesOf(std::move(use.lacking)));
  return unset;
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
  if (const auto local_boot = std::find_if(
          set.begin(), set.end(), [](const auto& one) { return one.first.text() == kLocalBoot; });
      local_boot != set.end() && !ParseLocalBoot(local_boot->second.text()).has_value()) {
    add(Reason::kMalformed, absl::StrCat("set_variables.", kLocalBoot), local_boot->second.text(),
        absl::StrCat("variable ", Quote(kLocalBoot), ": ", Quote(local_boot->second.text()),
                     ": expected one of ", absl::StrJoin(LocalBootValues(), ", ")));
  }
  for (const VariableName& name : unset) {
    if (set.count(name) == 0) continue;
    add(Reason::kBatchInvalid, "unset_variables", name.text(),
        absl::StrCat("variable ", Quote(name.text()), ": both set and unset"));
  }
  return problems;
}

std::vector<Problem> CheckTemplate(const TemplateOwner& owner,
                                   const CommandLineTemplate& command_line) {
  std::vector<Problem> problems;
  const auto add = [&](std::string what) {
    Problem problem;
    problem.reason = Reason::kMalformed;
    problem.field = std::string(TemplateField(owner));
    problem.value = command_line.text();
    problem.message = absl::StrCat(Subject(owner), ": ", what);
    problems.push_back(std::move(problem));
  };
  std::set<std::string> scanned_only;
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (std::holds_alternative<DistroName>(owner) && piece.is_reference &&
        NeedsScannedKernel(piece.text) && scanned_only.insert(piece.text).second) {
      add(absl::StrCat("only a scanned distro has ${", piece.text,
                       "}, a declared one does not; write what it stands for, or use a variable "
                       "of another name"));
    }
  }
  for (const std::string& name : UselessDefaults(command_line)) {
    if (scanned_only.count(name) > 0) continue;
    add(absl::StrCat(Quote(name), " can't have a default, since ",
                     IsBuiltInVariable(name) ? "every boot sets it" : "iPXE itself fills it in",
                     "; write ${", name, "}"));
  }
  return problems;
}

absl::string_view TemplateField(const TemplateOwner& owner) {
  return std::holds_alternative<ProfileName>(owner) ? "command_line" : "kernel.arguments";
}

const CommandLineTemplate* FindTemplate(const Snapshot& snapshot, const TemplateOwner& owner) {
  if (const auto* name = std::get_if<ProfileName>(&owner)) {
    const Profile* const profile = snapshot.FindProfile(*name);
    return profile == nullptr ? nullptr : &profile->command_line;
  }
  const auto distro = snapshot.declared_distros().find(std::get<DistroName>(owner));
  if (distro == snapshot.declared_distros().end()) return nullptr;
  const auto* const kernel = std::get_if<DeclaredKernel>(&distro->second->boot);
  return kernel == nullptr ? nullptr : &kernel->arguments;
}

std::vector<UnsetVariable> FindUnsetVariables(const Snapshot& after, const Catalogs& catalogs,
                                              const std::set<TemplateOwner>& set_owners,
                                              const std::set<std::string>& unset_variables,
                                              absl::Time now) {
  std::vector<UnsetVariable> found;
  if (set_owners.empty() && unset_variables.empty()) return found;
  std::vector<TemplateOwner> owners;
  for (const auto& [name, profile] : after.profiles()) owners.push_back(name);
  for (const auto& [name, distro] : after.declared_distros()) owners.push_back(name);
  std::vector<Use> uses;
  std::map<std::string, bool> set_for_all;  // By variable: asking every agent is dear.
  for (const TemplateOwner& owner : owners) {
    const CommandLineTemplate* const used = FindTemplate(after, owner);
    if (used == nullptr) continue;
    const bool was_set = set_owners.count(owner) > 0;
    for (const std::string& required : RequiredVariables(*used)) {
      if (!was_set && unset_variables.count(required) == 0) continue;
      Use use{
          .owner = owner, .variable = required, .name = absl::nullopt, .agents = {}, .groups = {}};
      if (absl::StatusOr<VariableName> name = VariableName::Parse(required); name.ok()) {
        const auto [for_all, is_new] = set_for_all.try_emplace(required);
        if (is_new) for_all->second = IsSetForAll(after, catalogs, *name);
        if (for_all->second) continue;
        for (const auto& [agent, settings] : after.agent_settings()) {
          if (settings.variables.count(*name) > 0) use.agents.push_back(Quote(agent.text()));
        }
        for (const std::shared_ptr<const Group>& group : after.groups()) {
          if (group->variables.count(*name) > 0) use.groups.push_back(group.get());
        }
        use.name = *std::move(name);
      }
      uses.push_back(std::move(use));
    }
  }
  if (!uses.empty()) LookAtHosts(after, now, uses);
  for (Use& use : uses) {
    absl::optional<UnsetVariable> unset = Judge(std::move(use));
    if (unset.has_value()) found.push_back(*std::move(unset));
  }
  return found;
}

}  // namespace autopxe::server
