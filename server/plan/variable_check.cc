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

// Who sets a variable, looked up once however many templates use it.
struct Sources {
  absl::optional<VariableName> name = {};  // Empty: no variable can be called so.
  bool is_set_for_all = false;             // The rest is then left out.
  std::vector<std::string> agents = {};    // Quoted.
  std::vector<const Group*> groups = {};
  bool anybody_gets = false;  // Of all hosts, by a group or itself.
};

// One variable of one template, while it is looked at.
struct Use {
  TemplateOwner owner;
  std::string variable;
  Sources* sources;
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

Sources FindSources(const Snapshot& after, const Catalogs& catalogs, absl::string_view variable) {
  Sources sources;
  absl::StatusOr<VariableName> name = VariableName::Parse(variable);
  if (!name.ok()) return sources;
  sources.name = *std::move(name);
  sources.is_set_for_all = IsSetForAll(after, catalogs, *sources.name);
  if (sources.is_set_for_all) return sources;
  for (const auto& [agent, settings] : after.agent_settings()) {
    if (settings.variables.count(*sources.name) > 0) sources.agents.push_back(Quote(agent.text()));
  }
  for (const std::shared_ptr<const Group>& group : after.groups()) {
    if (group->variables.count(*sources.name) > 0) sources.groups.push_back(group.get());
  }
  return sources;
}

bool Gets(const Host& host, const Sources& sources) {
  if (!host.variables.empty() && host.variables.count(*sources.name) > 0) return true;
  return std::any_of(sources.groups.begin(), sources.groups.end(),
                     [&](const Group* group) { return group->selector.Matches(host.labels); });
}

void LookAtHosts(const Snapshot& after, absl::Time now, std::vector<Use>& uses) {
  after.ForEachHost([&](const std::shared_ptr<const Host>& host) {
    const Distro distro = ChooseDistro(after, nullptr, host.get(), now).distro;
    const absl::optional<TemplateOwner> owner = OwnerFor(distro);
    for (Use& use : uses) {
      const bool boots_it = owner.has_value() && *owner == use.owner;
      Sources& sources = *use.sources;
      if (!boots_it && (!sources.name.has_value() || sources.anybody_gets)) continue;
      const bool gets = sources.name.has_value() && Gets(*host, sources);
      sources.anybody_gets |= gets;
      if (!boots_it) continue;
      ++use.users;
      if (!gets) use.lacking.push_back(host->name.text());
    }
  });
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
      .users = use.users,
      .sentence = absl::StrCat(DescribeOwner(use.owner), " uses ${", use.variable, "}, which ")};
  std::string& sentence = unset.sentence;
  if (use.users > 0 && use.lacking.empty()) return absl::nullopt;
  const size_t lacking = use.lacking.size();
  const std::string names = Hostlist::Of(std::move(use.lacking)).FormatShort(kMaxNamesLength);
  if (!use.sources->agents.empty()) {
    absl::StrAppend(&sentence, AgentsOf(use.sources->agents));
    if (lacking == 1) {
      absl::StrAppend(&sentence, "; a host that ", BootsIt(use.owner),
                      " gets it nowhere else: ", names);
    } else if (lacking > 1) {
      absl::StrAppend(&sentence, "; ", lacking, " hosts that ", BootIt(use.owner),
                      " get it nowhere else: ", names);
    }
    return unset;
  }
  if (!use.sources->anybody_gets) {
    unset.reaches_nobody = true;
    absl::StrAppend(&sentence, "no variable sets");
    if (use.users == 1) {
      absl::StrAppend(&sentence, "; a host ", BootsIt(use.owner), ": ", names);
    } else if (use.users > 1) {
      absl::StrAppend(&sentence, "; ", use.users, " hosts ", BootIt(use.owner), ": ", names);
    }
    return unset;
  }
  if (use.users == 0) {
    absl::StrAppend(&sentence, "only some hosts get, by their groups or of their own");
    return unset;
  }
  unset.reaches_nobody = lacking == use.users;
  if (!unset.reaches_nobody) {
    absl::StrAppend(&sentence, lacking, " of the ", use.users, " hosts that ", BootIt(use.owner),
                    " don't get: ", names);
  } else if (use.users == 1) {
    absl::StrAppend(&sentence, "the host that ", BootsIt(use.owner), " doesn't get: ", names);
  } else {
    absl::StrAppend(&sentence, "none gets of the ", use.users, " hosts that ", BootIt(use.owner),
                    ": ", names);
  }
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
    problem.message = absl::StrCat(DescribeOwner(owner), ": ", what);
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
  std::map<std::string, Sources> sources_of;  // By variable.
  for (const TemplateOwner& owner : owners) {
    const CommandLineTemplate* const used = FindTemplate(after, owner);
    if (used == nullptr) continue;
    const bool was_set = set_owners.count(owner) > 0;
    for (const std::string& required : RequiredVariables(*used)) {
      if (!was_set && unset_variables.count(required) == 0) continue;
      const auto [sources, is_new] = sources_of.try_emplace(required);
      if (is_new) sources->second = FindSources(after, catalogs, required);
      if (sources->second.is_set_for_all) continue;
      uses.push_back({.owner = owner, .variable = required, .sources = &sources->second});
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
