#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "boot/agent_context.h"
#include "boot/host_facts.h"
#include "common/model/catalog.h"
#include "common/model/snapshot.h"

namespace autopxe {

// A small site for tests, that of AutoPXE's example configuration:
//   profiles  overlayfs, nfsrw
//   variable  nfs-server = 172.25.2.11
//   default   debian/bookworm/latest/overlayfs
//   hosts     node1 bc:24:11:b0:1a:de (assigned debian/bookworm/latest/overlayfs)
struct Sample {
  Settings settings;
  std::vector<AgentSettings> agent_settings;
  std::map<std::string, std::string> profiles;  // Name -> template.
  std::vector<std::shared_ptr<const Host>> hosts;
  std::vector<std::shared_ptr<const DeclaredDistro>> declared;
  Catalog catalog;
  AgentContext agent;

  Sample();

  // Adds a host; `distro` may be empty.
  void AddHost(absl::string_view name, absl::string_view mac, absl::string_view distro);

  // Declares a distro: a kernel with its initrds, or what is chained.
  void DeclareKernel(absl::string_view name, absl::string_view kernel,
                     const std::vector<std::string>& initrds, absl::string_view arguments,
                     Architecture architecture = Architecture::kUnknown);
  void DeclareChain(absl::string_view name, absl::string_view target,
                    Architecture architecture = Architecture::kUnknown);

  // Puts files into the agent's folder of files; `paths` ascending.
  void SetFiles(const std::vector<std::string>& paths);

  std::shared_ptr<const Snapshot> Build() const;
};

// Settings of an agent that set nothing yet.
AgentSettings SettingsFor(absl::string_view agent);

// Words become values; the test ends if they can't.
std::map<VariableName, VariableValue> VariablesOf(
    const std::map<std::string, std::string>& variables);

// A release with one kernel, of that version, which is also the latest.
CatalogRelease ReleaseWith(absl::string_view name, absl::string_view version);

// Asks by `transport` at 10.77.0.1.
HostFacts FactsOf(absl::string_view mac, Transport transport, Stage stage = Stage::kStart);

}  // namespace autopxe
