#include "boot/variables.h"

#include "absl/strings/str_cat.h"
#include "boot/command_line.h"
#include "common/model/architecture.h"

namespace autopxe {
namespace {

void Add(const std::map<VariableName, VariableValue>& variables, VariableOrigin origin,
         const std::string& group, std::map<std::string, Decision::Variable>& merged) {
  for (const auto& [name, value] : variables) {
    if (IsBuiltInVariable(name.text()) || IsLeftToIpxe(name.text())) continue;
    merged[name.text()] = {value.text(), origin, group};
  }
}

}  // namespace

std::map<std::string, Decision::Variable> MergeVariables(const Snapshot& snapshot,
                                                         const AgentId& agent, const Host* host) {
  std::map<std::string, Decision::Variable> merged;
  Add(snapshot.settings().variables, VariableOrigin::kGlobal, "", merged);
  if (const AgentSettings* const settings = snapshot.FindAgentSettings(agent)) {
    Add(settings->variables, VariableOrigin::kAgent, "", merged);
  }
  if (host == nullptr) return merged;
  const Snapshot::Groups& groups = snapshot.groups();
  for (auto group = groups.rbegin(); group != groups.rend(); ++group) {
    if ((*group)->variables.empty() || !(*group)->selector.Matches(host->labels)) continue;
    Add((*group)->variables, VariableOrigin::kGroup, (*group)->name.text(), merged);
  }
  Add(host->variables, VariableOrigin::kHost, "", merged);
  return merged;
}

std::string BootIfOf(const MacAddress& mac) { return absl::StrCat("01-", mac.FormatDashed()); }

std::map<std::string, std::string> KernelVariables(absl::string_view distro_name,
                                                   const CatalogRelease& release,
                                                   const CatalogKernel& kernel) {
  const absl::string_view architecture = FormatArchitecture(kernel.architecture);
  return {
      {kArch, std::string(architecture.empty() ? "unknown" : architecture)},
      {kDistroName, std::string(distro_name)},
      {kKernel, kernel.version.empty() ? kernel.name : kernel.version},
      {kRelease, release.folder()},
  };
}

}  // namespace autopxe
