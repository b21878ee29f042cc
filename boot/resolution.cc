#include "boot/resolution.h"

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "boot/boot_files.h"
#include "boot/command_line.h"
#include "boot/declared_arguments.h"
#include "boot/suggestion.h"
#include "boot/variables.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

// More would fill the screen.
constexpr size_t kMaxNamed = 5;

// "latest, 6.1.0-25-amd64 and 3 more", what was probably meant first.
std::string WhatIsThere(absl::string_view wanted, std::vector<std::string> names) {
  const std::vector<std::string> closest = Suggest(wanted, names, 1);
  if (!closest.empty()) {
    const auto found = std::find(names.begin(), names.end(), closest.front());
    std::rotate(names.begin(), found, found + 1);
  }
  const size_t more = names.size() > kMaxNamed ? names.size() - kMaxNamed : 0;
  names.resize(names.size() - more);
  std::string text = absl::StrJoin(names, ", ");
  if (more > 0) absl::StrAppend(&text, " and ", more, " more");
  return text;
}

template <typename Elements, typename NameOf>
std::vector<std::string> NamesOf(const Elements& elements, NameOf name_of) {
  std::vector<std::string> names;
  for (const auto& element : elements) names.push_back(name_of(element));
  return names;
}

std::string NoDistro(const Catalog& catalog, const AgentContext& agent, const Distro& distro) {
  if (catalog.distros.empty()) {
    return absl::StrCat("agent ", Quote(agent.id.text()), " has no kernel at all to offer");
  }
  const auto found =
      std::find_if(catalog.distros.begin(), catalog.distros.end(),
                   [&](const CatalogDistro& known) { return known.name == distro.name(); });
  if (found == catalog.distros.end()) {
    return absl::StrCat("agent ", Quote(agent.id.text()), " has no ", distro.name(), "; it has ",
                        WhatIsThere(distro.name(), NamesOf(catalog.distros, [](const auto& known) {
                                      return known.name;
                                    })));
  }
  return absl::StrCat(
      "agent ", Quote(agent.id.text()), " has no release ", distro.release(), " of ", distro.name(),
      "; it has ", WhatIsThere(distro.release(), NamesOf(found->releases, [](const auto& release) {
                                 return release.name;
                               })));
}

std::string NoKernel(const CatalogRelease& release, const AgentContext& agent,
                     const Distro& distro) {
  return absl::StrCat("agent ", Quote(agent.id.text()), " has no kernel ", distro.kernel(), " of ",
                      distro.name(), "/", distro.release(), "; it has ",
                      WhatIsThere(distro.kernel(), NamesOf(release.kernels, [](const auto& kernel) {
                                    return kernel.name;
                                  })));
}

std::string NoProfile(const Snapshot& snapshot, const Distro& distro) {
  const std::string no_profile = absl::StrCat("there is no profile ", distro.profile());
  if (snapshot.profiles().empty()) return absl::StrCat(no_profile, ", nor any other");
  return absl::StrCat(
      no_profile, "; there is ",
      WhatIsThere(distro.profile(), NamesOf(snapshot.profiles(),
                                            [](const auto& entry) { return entry.first.text(); })));
}

// The values of the built-in variables for one decision, and where they go: all of them into its
// variables, or only those that its command line uses.
class BuiltIns {
 public:
  BuiltIns(const AgentContext& agent, const HostFacts& facts, BuiltInVariablesOf which,
           Decision& decision)
      : agent_(agent), facts_(facts), which_(which), decision_(decision) {}

  // What is built in for every host.
  void AddOfHost() { Add({kHost, kMac, kBootIf, kAgent, kAgentAddress}); }

  // What is built in for a distro that is scanned: `rootfs_path` and what KernelVariables has.
  void AddOfKernel(const CatalogRelease& release, const CatalogKernel& kernel,
                   const std::string& rootfs_path) {
    release_ = &release;
    kernel_ = &kernel;
    rootfs_path_ = &rootfs_path;
    Add({kArch, kDistroName, kKernel, kRelease, kRootfsPath});
  }

  void AddDistro() { Add({kDistro}); }

  // The value of a variable, built in or not, or null. Stays valid as long as the decision's
  // variables.
  const std::string* ValueOf(absl::string_view name) {
    const auto found = decision_.variables.find(std::string(name));
    if (found != decision_.variables.end()) return &found->second.value;
    if (which_ == BuiltInVariablesOf::kAll) return nullptr;
    absl::optional<std::string> value = Value(name);
    return value.has_value() ? &Set(name, *std::move(value)) : nullptr;
  }

 private:
  void Add(std::initializer_list<absl::string_view> names) {
    if (which_ != BuiltInVariablesOf::kAll) return;
    for (const absl::string_view name : names) Set(name, *Value(name));
  }

  const std::string& Set(absl::string_view name, std::string value) {
    Decision::Variable& variable = decision_.variables[std::string(name)];
    variable = {std::move(value), VariableOrigin::kBuiltIn};
    return variable.value;
  }

  absl::optional<std::string> Value(absl::string_view name) const {
    if (name == kHost) return decision_.host;
    if (name == kMac) return facts_.mac.Format();
    if (name == kBootIf) return BootIfOf(facts_.mac);
    if (name == kAgent) return agent_.id.text();
    if (name == kAgentAddress) return agent_.advertise.value_or(facts_.asked_at).Format();
    if (name == kDistro) return decision_.distro.Format();
    if (kernel_ == nullptr || !NeedsScannedKernel(name)) return absl::nullopt;
    if (name == kRootfsPath) return *rootfs_path_;
    return KernelVariables(decision_.distro.name(), *release_, *kernel_).at(std::string(name));
  }

  const AgentContext& agent_;
  const HostFacts& facts_;
  const BuiltInVariablesOf which_;
  Decision& decision_;
  const CatalogRelease* release_ = nullptr;
  const CatalogKernel* kernel_ = nullptr;
  const std::string* rootfs_path_ = nullptr;
};

// Fills in what the kernel, the initrd and the command line are, or returns why there are none.
// REQUIRES: the distro is a kernel.
std::string ChooseKernel(const Snapshot& snapshot, const Catalog& catalog,
                         const AgentContext& agent, BuiltIns& built_ins, Decision& decision) {
  const Distro& distro = decision.distro;
  const CatalogRelease* release = catalog.FindRelease(distro.name(), distro.release());
  if (release == nullptr) return NoDistro(catalog, agent, distro);
  const CatalogKernel* kernel = release->FindKernel(distro.kernel());
  if (kernel == nullptr) return NoKernel(*release, agent, distro);
  const absl::StatusOr<ProfileName> name = ProfileName::Parse(distro.profile());
  const Profile* profile = name.ok() ? snapshot.FindProfile(*name) : nullptr;
  if (profile == nullptr) return NoProfile(snapshot, distro);

  const std::string rootfs_path = RootfsPath(snapshot, agent, distro.name(), *release);
  built_ins.AddDistro();
  built_ins.AddOfKernel(*release, *kernel, rootfs_path);
  absl::StatusOr<std::string> command_line =
      ExpandCommandLine(profile->command_line,
                        [&](absl::string_view variable) { return built_ins.ValueOf(variable); });
  if (!command_line.ok()) {
    return absl::StrCat("profile ", distro.profile(),
                        " can't be used: ", absl::string_view(command_line.status().message()));
  }

  decision.kernel_version = kernel->version;
  decision.release_folder = release->folder();
  decision.architecture = kernel->architecture;
  decision.kernel_path = kernel->kernel_path;
  decision.initrd_path = kernel->initrd_path;
  decision.rootfs_path = rootfs_path;
  decision.command_line = *std::move(command_line);
  return "";
}

std::string NoDeclared(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                       const Distro& distro) {
  const auto scanned =
      std::find_if(catalog.distros.begin(), catalog.distros.end(),
                   [&](const CatalogDistro& known) { return known.name == distro.name(); });
  const std::string no_distro = absl::StrCat("no distro ", distro.name(), " is declared");
  if (scanned != catalog.distros.end()) {
    return absl::StrCat(no_distro, "; the one that agent ", Quote(agent.id.text()),
                        " found is assigned as ", distro.name(), "/<release>/<kernel>/<profile>");
  }
  if (snapshot.declared_distros().empty()) return absl::StrCat(no_distro, ", nor any other");
  return absl::StrCat(
      no_distro, "; there is ",
      WhatIsThere(distro.name(), NamesOf(snapshot.declared_distros(),
                                         [](const auto& entry) { return entry.first.text(); })));
}

std::string NoFile(const Catalog& catalog, const AgentContext& agent, const BootFile& file) {
  const std::string no_file = absl::StrCat("agent ", Quote(agent.id.text()), " has no file ",
                                           file.text(), " in its folder of files");
  if (catalog.files.empty()) return absl::StrCat(no_file, ", nor any other");
  return absl::StrCat(no_file, "; it has ",
                      WhatIsThere(file.text(), NamesOf(catalog.files, [](const auto& known) {
                                    return known.path;
                                  })));
}

// The same as ChooseKernel. REQUIRES: the distro is a declared one.
std::string ChooseDeclared(const Snapshot& snapshot, const Catalog& catalog,
                           const AgentContext& agent, BuiltIns& built_ins, Decision& decision) {
  const Distro& distro = decision.distro;
  std::shared_ptr<const DeclaredDistro> declared = snapshot.FindDeclaredDistro(distro);
  if (declared == nullptr) return NoDeclared(snapshot, catalog, agent, distro);
  const BootFile* const missing = FindMissingFile(*declared, catalog);
  if (missing != nullptr) return NoFile(catalog, agent, *missing);

  built_ins.AddDistro();
  if (const auto* kernel = std::get_if<DeclaredKernel>(&declared->boot)) {
    absl::StatusOr<std::string> command_line = ExpandDeclaredArguments(
        *kernel, [&](absl::string_view variable) { return built_ins.ValueOf(variable); });
    if (!command_line.ok()) {
      return absl::StrCat("it can't be used: ", absl::string_view(command_line.status().message()));
    }
    decision.command_line = *std::move(command_line);
  }
  decision.architecture = declared->architecture;
  decision.declared = std::move(declared);
  return "";
}

std::string WordsOf(const Decision& decision) {
  switch (decision.distro_origin) {
    case DistroOrigin::kNextBoot:
      return "which is assigned to its next boot";
    case DistroOrigin::kTimed:
      return "which is assigned to it for a time";
    case DistroOrigin::kHost:
      return "which is assigned to it";
    case DistroOrigin::kGroup:
      return absl::StrCat("the distro of its group ", decision.distro_group);
    case DistroOrigin::kAgentDefault:
      return "the default of its agent";
    case DistroOrigin::kDefault:
      return "the default";
    case DistroOrigin::kUnknownHosts:
      return "as every unknown host";
    case DistroOrigin::kNothing:
      break;
  }
  return "";
}

}  // namespace

ChosenDistro ChooseDistro(const Snapshot& snapshot, const AgentId* agent, const Host* host,
                          absl::Time now) {
  if (host != nullptr) {
    if (host->next.has_value()) return {host->next->distro, DistroOrigin::kNextBoot, ""};
    if (host->timed.has_value() && now < host->timed->until) {
      return {host->timed->distro, DistroOrigin::kTimed, ""};
    }
    if (host->distro.has_value()) return {*host->distro, DistroOrigin::kHost, ""};
    for (const std::shared_ptr<const Group>& group : snapshot.groups()) {
      if (!group->distro.has_value() || !group->selector.Matches(host->labels)) continue;
      return {*group->distro, DistroOrigin::kGroup, group->name.text()};
    }
  }
  const Settings& settings = snapshot.settings();
  if (host == nullptr && settings.unknown_hosts.has_value()) {
    return {*settings.unknown_hosts, DistroOrigin::kUnknownHosts, ""};
  }
  const AgentSettings* const own = agent == nullptr ? nullptr : snapshot.FindAgentSettings(*agent);
  if (own != nullptr && own->default_distro.has_value()) {
    return {*own->default_distro, DistroOrigin::kAgentDefault, ""};
  }
  if (settings.default_distro.has_value()) {
    return {*settings.default_distro, DistroOrigin::kDefault, ""};
  }
  return {};
}

Decision Resolve(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent,
                 const HostFacts& facts, absl::Time now, BuiltInVariablesOf built_in) {
  const std::shared_ptr<const Host> host = snapshot.FindHost(facts.mac);
  Decision decision;
  decision.known = host != nullptr;
  decision.host = decision.known ? host->name.text() : facts.mac.Format();
  ChosenDistro chosen = ChooseDistro(snapshot, &agent.id, host.get(), now);
  decision.distro = std::move(chosen.distro);
  decision.distro_origin = chosen.origin;
  decision.distro_group = std::move(chosen.group);
  if (chosen.origin == DistroOrigin::kNextBoot) decision.next_token = host->next->token;
  if (chosen.origin == DistroOrigin::kTimed) decision.timed_until = host->timed->until;

  decision.variables = MergeVariables(snapshot, agent.id, host.get());
  BuiltIns built_ins(agent, facts, built_in, decision);
  built_ins.AddOfHost();

  switch (decision.distro.kind()) {
    case Distro::Kind::kKernel:
    case Distro::Kind::kDeclared:
      decision.missing = decision.distro.kind() == Distro::Kind::kKernel
                             ? ChooseKernel(snapshot, catalog, agent, built_ins, decision)
                             : ChooseDeclared(snapshot, catalog, agent, built_ins, decision);
      if (decision.missing.empty()) {
        decision.outcome = Outcome::kBoot;
      } else {
        decision.outcome = Outcome::kMissing;
        decision.missing =
            absl::StrCat("Host ", decision.host, " should boot ", decision.distro.Format(), ", ",
                         WordsOf(decision), ", but ", decision.missing, ".");
      }
      break;
    case Distro::Kind::kLocal:
      decision.outcome = Outcome::kLocal;
      break;
    case Distro::Kind::kMenu:
      decision.outcome = Outcome::kMenu;
      break;
    case Distro::Kind::kWait:
      decision.outcome = Outcome::kWait;
      break;
    case Distro::Kind::kIgnore:
      decision.outcome = Outcome::kIgnore;
      break;
  }
  return decision;
}

}  // namespace autopxe
