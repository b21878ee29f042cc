#include "boot/variables.h"

#include "boot/command_line.h"
#include "common/model/architecture.h"

namespace autopxe {
namespace {

void Add(const std::map<VariableName, VariableValue>& variables, VariableOrigin origin,
         std::map<std::string, Decision::Variable>& merged) {
  for (const auto& [name, value] : variables) {
    if (IsBuiltInVariable(name.text()) || IsLeftToIpxe(name.text())) continue;
    merged[name.text()] = {value.text(), origin};
  }
}

}  // namespace

std::map<std::string, Decision::Variable> MergeVariables(const Snapshot& snapshot,
                                                         const AgentId& agent) {
  std::map<std::string, Decision::Variable> merged;
  Add(snapshot.settings().variables, VariableOrigin::kGlobal, merged);
  if (const AgentSettings* const settings = snapshot.FindAgentSettings(agent)) {
    Add(settings->variables, VariableOrigin::kAgent, merged);
  }
  return merged;
}

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
