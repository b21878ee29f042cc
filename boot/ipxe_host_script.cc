#include "boot/ipxe_host_script.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "boot/agent_uris.h"
#include "boot/command_line.h"
#include "boot/ipxe_architecture.h"
#include "boot/ipxe_ask.h"
#include "boot/ipxe_declared.h"
#include "boot/ipxe_local_boot.h"
#include "boot/ipxe_menu.h"
#include "boot/local_boot.h"
#include "boot/menu.h"
#include "boot/variables.h"
#include "common/model/command_line_template.h"
#include "common/model/name.h"

namespace autopxe {
namespace {

// A host that waits boots within 10 s of its assignment.
constexpr int64_t kWaitSeconds = 4;

// Where a host could not boot what it should, its menu is left for the agent's answer when nobody
// has chosen for so long.
constexpr absl::Duration kMissingMenuTimeout = absl::Minutes(5);

// The label, the wait and the loop of a host that has nothing to do but ask. Scripts with a menu
// have their own.
void AddHold(IpxeScript& script) {
  script.Add(":hold");
  script.Add("prompt --key s --timeout %s000 Press s for the iPXE shell. && shell ||",
             {IpxeWord::Of(kWaitSeconds)});
  AddAsk(script, kWaitSeconds);
}

// The values of the user's variables, and of what stands for those that the host does not have.
void AddVariables(IpxeScript& script, const Decision& decision, const SharedMenu& shared_menu) {
  for (const auto& [name, variable] : decision.variables) {
    if (variable.origin == VariableOrigin::kBuiltIn) continue;
    const absl::StatusOr<VariableName> checked = VariableName::Parse(name);
    if (checked.ok()) script.SetVariable(*checked, variable.value);
  }
  for (const VariableName& name : shared_menu.optional) {
    const auto own = decision.variables.find(name.text());
    const bool has_own = own != decision.variables.end();
    if (!has_own) script.SetVariable(name, "");
    if (shared_menu.needed.count(name) == 0) continue;
    if (!has_own) {
      script.Add("set _empty_%s", {IpxeWord::Of(name)});
    } else if (own->second.value.empty()) {
      script.Add("set _empty_%s yes", {IpxeWord::Of(name)});
    }
  }
}

// What the host is, and the values of the variables that templates use.
void AddIdentity(IpxeScript& script, const Decision& decision, const AgentContext& agent,
                 const HostFacts& facts, const SharedMenu& shared_menu) {
  AddAskSettings(script, facts.mac, BuildAgentUris(agent, facts.transport, facts.asked_at));
  script.Set("host", decision.host);
  if (!HoldsMenu(decision.outcome)) return;
  script.Add("set agent-address %s", {IpxeWord::Of(agent.advertise.value_or(facts.asked_at))});
  if (shared_menu.uses_bootif) script.Set(kBootIf, BootIfOf(facts.mac));
  if (shared_menu.uses_agent) script.Set(kAgent, agent.id.text());
  AddVariables(script, decision, shared_menu);
}

bool IsOwn(const Decision::Variable& variable) {
  return variable.origin == VariableOrigin::kGroup || variable.origin == VariableOrigin::kHost;
}

// Whether the host has a value of a variable in `command_line` that the agent's others need not
// have. If not, the template is for it what it is for them (FindProblem).
bool UsesOwn(const CommandLineTemplate& command_line, const Decision& decision) {
  const auto pieces = command_line.pieces();
  return std::any_of(pieces.begin(), pieces.end(), [&](const CommandLineTemplate::Piece& piece) {
    if (!piece.is_reference) return false;
    const auto found = decision.variables.find(piece.text);
    return found != decision.variables.end() && IsOwn(found->second);
  });
}

// The labels of the profiles and declared distros that are for this host something else than for
// the agent's others: its own variables make a reference with their neighbours, a command line that
// is too long, or neither of what the agent's make.
void AddOwnTemplates(IpxeScript& script, const Decision& decision, const SharedMenu& shared_menu) {
  // A host that no group and nobody gave a variable has the agent's others' (MergeVariables without
  // a host), of which the menu was made, and built-ins, which FindProblem does not look at: it
  // would find the same, at a cost for every request that grows with all templates.
  if (std::none_of(decision.variables.begin(), decision.variables.end(),
                   [](const auto& variable) { return IsOwn(variable.second); })) {
    return;
  }
  IpxeScript labels;
  for (const MenuProfile& shared : shared_menu.profiles) {
    if (!UsesOwn(shared.command_line, decision)) continue;
    const std::string problem = FindProblem(shared.name, shared.command_line, decision.variables);
    if (problem == shared.problem) continue;
    MenuProfile own = shared;
    own.problem = problem;
    AddProfile(labels, own);
  }
  for (const MenuDeclared& shared : shared_menu.declared) {
    if (shared.kernel() == nullptr || !UsesOwn(shared.kernel()->arguments, decision)) continue;
    const std::string problem = FindProblem(*shared.distro, decision.variables);
    if (problem == shared.problem) continue;
    MenuDeclared own = shared;
    own.problem = problem;
    AddDeclared(labels, own);
  }
  if (labels.text().empty()) return;
  script.Add("goto menu");
  script.Append(labels);
}

// Where the script's next boot fetches its kernel, in front of the path: that uses it up.
void SetOnce(IpxeScript& script, const Decision& decision, const MacAddress& mac) {
  script.Add("set _once next/%s/%s/", {IpxeWord::Dashed(mac), IpxeWord::Of(decision.next_token)});
}

// The rest of the host's own part, where it boots a distro: what the menu's first entry does, and
// whether the menu comes at all.
void AddFirst(IpxeScript& script, const Decision& decision, const HostFacts& facts,
              const SharedMenu& shared_menu) {
  const bool is_next = decision.distro_origin == DistroOrigin::kNextBoot;
  // Nobody has waited for the menu of a host that polls.
  const bool is_at_once = facts.stage == Stage::kPoll;
  if (is_at_once) {
    script.Add("set _look 0");
    // It would be that of an earlier script.
    if (shared_menu.has_declared) script.Add("set _load");
  }
  if (is_next) {
    script.Add("set _first next");
    if (!is_at_once) script.Add("goto menu");
    script.Add(":next");
    SetOnce(script, decision, facts.mac);
  } else if (is_at_once) {
    // It would be that of an earlier script.
    script.Add("set _once");
  }
  if (is_next || is_at_once) script.Add("goto %s", {IpxeWord::LabelOf(decision.distro)});
}

// Where the host can't run what it boots, which the decision knows.
void AddGoToOtherUnlessRun(IpxeScript& script, const Decision& decision) {
  if (decision.architecture == Architecture::kUnknown) return;
  if (decision.declared != nullptr) {
    // For the words there, in place of its label.
    script.Add("isset ${_skip_%s} && set _first %s ||",
               {IpxeWord::Of(decision.architecture), IpxeWord::Of(decision.distro)});
  }
  AddGoToOther(script, decision.architecture);
}

// How the host leaves for its local disk. What is no value of the variable counts for nothing.
LocalBoot LocalBootOf(const Decision& decision) {
  const auto found = decision.variables.find(kLocalBoot);
  if (found == decision.variables.end()) return LocalBoot::kExit;
  return ParseLocalBoot(found->second.value).value_or(LocalBoot::kExit);
}

// Tells the agent that this boot goes to the local disk, and goes there even if it does not answer.
void AddTellLocal(IpxeScript& script, const Decision& decision, const MacAddress& mac) {
  SetOnce(script, decision, mac);
  script.Add("isset ${_http} && imgfetch --timeout 5000 ${_http}${_once}begun && goto told ||");
  script.Add("isset ${_tftp} && imgfetch --timeout 5000 ${_tftp}${_once}begun ||");
  script.Add(":told");
  script.Add("imgfree ||");
}

std::string WordsOf(const Decision& decision) {
  switch (decision.distro_origin) {
    case DistroOrigin::kNextBoot:
      return " (this boot only)";
    case DistroOrigin::kTimed:
      return " (assigned for a time)";
    case DistroOrigin::kHost:
      return " (assigned)";
    case DistroOrigin::kGroup:
      return absl::StrCat(" (group ", decision.distro_group, ")");
    case DistroOrigin::kAgentDefault:
      return " (default of this agent)";
    case DistroOrigin::kDefault:
      return " (default)";
    case DistroOrigin::kUnknownHosts:
      return " (unknown host)";
    case DistroOrigin::kNothing:
      break;
  }
  return "";
}

void AddMenuSettings(IpxeScript& script, const Decision& decision, absl::Duration menu_timeout) {
  absl::Duration timeout = absl::ZeroDuration();
  std::string message;
  if (decision.outcome == Outcome::kBoot) {
    script.Add("set _first %s", {IpxeWord::LabelOf(decision.distro)});
    script.Set("_first_text", absl::StrCat(decision.distro.Format(), WordsOf(decision)));
    timeout = menu_timeout;
  } else {
    script.Add("set _first ask");
    script.Set("_first_text", "Ask the agent again what to boot");
    if (decision.outcome == Outcome::kMissing) {
      message = absl::StrCat(decision.distro.Format(), " can't be booted here.");
      timeout = kMissingMenuTimeout;
    } else if (decision.distro_origin == DistroOrigin::kNothing) {
      message = "Nothing is assigned to this host, and there is no default.";
    }
  }
  script.Set("_message", message);
  script.Add("set _timeout %s", {IpxeWord::Of(absl::ToInt64Milliseconds(timeout))});
}

}  // namespace

bool HoldsMenu(Outcome outcome) {
  return outcome == Outcome::kBoot || outcome == Outcome::kMenu || outcome == Outcome::kMissing;
}

std::string RenderHostScript(const Decision& decision, const AgentContext& agent,
                             const HostFacts& facts, absl::Duration menu_timeout,
                             const SharedMenu& shared_menu) {
  if (decision.outcome == Outcome::kIgnore) return "";
  // More than the own part of most hosts.
  constexpr size_t kOwnPart = 1536;
  IpxeScript script;
  script.Reserve(kOwnPart + shared_menu.settings.text().size() + shared_menu.labels.text().size());
  script.Add("#!ipxe");
  AddIdentity(script, decision, agent, facts, shared_menu);
  if (HoldsMenu(decision.outcome)) {
    AddMenuSettings(script, decision, menu_timeout);
    script.Append(shared_menu.settings);
  }
  switch (decision.outcome) {
    case Outcome::kBoot:
      AddGoToOtherUnlessRun(script, decision);
      AddFirst(script, decision, facts, shared_menu);
      break;
    case Outcome::kMissing:
      script.Set("_missing", decision.missing);
      script.Add("echo");
      script.Add("echo MAC ${_mac}: ${_missing:string}");
      script.Add("goto hold");
      break;
    case Outcome::kWait:
      script.Add("echo");
      script.Add("echo Host ${host:string}, MAC ${_mac}: waiting for something to boot.");
      AddHold(script);
      break;
    case Outcome::kLocal:
      script.Add("echo Host ${host:string}, MAC ${_mac}.");
      if (decision.distro_origin == DistroOrigin::kNextBoot) {
        AddTellLocal(script, decision, facts.mac);
      }
      AddLocalBoot(script, LocalBootOf(decision));
      break;
    case Outcome::kMenu:
    case Outcome::kIgnore:
      break;
  }
  if (HoldsMenu(decision.outcome)) {
    AddOwnTemplates(script, decision, shared_menu);
    script.Append(shared_menu.labels);
  }
  return std::move(script).TakeText();
}

std::string RenderIpxeUnconfiguredScript(const AgentContext& agent, const HostFacts& facts) {
  IpxeScript script;
  script.Add("#!ipxe");
  AddAskSettings(script, facts.mac, BuildAgentUris(agent, facts.transport, facts.asked_at));
  script.Add("echo");
  script.Add("echo MAC ${_mac}: this agent has not got its configuration yet. Is its server up?");
  AddHold(script);
  return script.text();
}

}  // namespace autopxe
