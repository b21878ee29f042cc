#pragma once

#include <map>
#include <string>

#include "boot/boot.h"
#include "boot/command_line.h"
#include "boot/ipxe_host_script.h"
#include "boot/ipxe_menu.h"
#include "boot/menu.h"
#include "boot/sample.h"

// For tests of templates: a host of the sample, and what it boots with variables of its own.
namespace autopxe {

using Values = std::map<std::string, std::string>;

inline constexpr char kNode1[] = "bc:24:11:b0:1a:de";

// What a host gets that has variables of its own, over those of its agent.
inline BootAnswer BootWith(const Sample& sample, const Values& own) {
  const auto snapshot = sample.Build();
  const HostFacts facts = FactsOf(kNode1, Transport::kHttp);
  BootAnswer answer{
      .decision = Decide(*snapshot, sample.catalog, sample.agent, facts, absl::UnixEpoch()),
      .script = ""};
  Decision& decision = answer.decision;
  for (const auto& [name, value] : own) decision.variables[name] = {value, VariableOrigin::kHost};
  const Profile* const profile =
      snapshot->FindProfile(ProfileName::Parse(decision.distro.profile()).value());
  const auto expanded = ExpandCommandLine(profile->command_line, [&](absl::string_view name) {
    const auto found = decision.variables.find(std::string(name));
    return found == decision.variables.end() ? nullptr : &found->second.value;
  });
  decision.outcome = expanded.ok() ? Outcome::kBoot : Outcome::kMissing;
  decision.command_line = expanded.value_or("");
  answer.script =
      RenderHostScript(decision, sample.agent, facts, snapshot->settings().menu_timeout,
                       RenderSharedMenu(BuildMenu(*snapshot, sample.catalog, sample.agent)));
  return answer;
}

}  // namespace autopxe
