#include "boot/menu.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "boot/boot_files.h"
#include "boot/command_line.h"
#include "boot/declared_arguments.h"
#include "boot/variables.h"

namespace autopxe {
namespace {

// Deals out '1' to '9', then 'a' to 'z', without those that are kept.
class Keys {
 public:
  explicit Keys(absl::string_view kept) : kept_(kept) {}

  char Next() {
    while (next_ < kAll.size()) {
      const char key = kAll[next_++];
      if (kept_.find(key) == absl::string_view::npos) return key;
    }
    return kNoKey;
  }

 private:
  static constexpr absl::string_view kAll = "123456789abcdefghijklmnopqrstuvwxyz";

  const absl::string_view kept_;
  size_t next_ = 0;
};

// For a value that is not known yet: as short as one that counts for set.
constexpr char kStandIn[] = "x";

constexpr char kKeptByMain[] = {kFirstEntryKey, kConfigureKey, kShellKey,
                                kRebootKey,     kLocalKey,     '\0'};
constexpr char kKeptBySubMenu[] = {kBackKey, '\0'};

SubMenu BuildSubMenu(const Snapshot& snapshot, const AgentContext& agent,
                     const CatalogDistro& distro,
                     const std::vector<std::string>& kernel_variables) {
  SubMenu menu;
  Keys keys(kKeptBySubMenu);
  for (const CatalogRelease& release : distro.releases) {
    const std::string rootfs_path = RootfsPath(snapshot, agent, distro.name, release);
    for (const CatalogKernel& kernel : release.kernels) {
      MenuKernel menu_kernel = {
          .kernel_file = BootFilePath(distro.name, release, kernel.kernel_path),
          .initrd_file = BootFilePath(distro.name, release, kernel.initrd_path),
          .rootfs_path = rootfs_path,
          .variables = {},
          .architecture = kernel.architecture,
          .entries = {},
      };
      for (const auto& [profile, unused] : snapshot.profiles()) {
        absl::StatusOr<Distro> entry = Distro::Parse(
            absl::StrCat(distro.name, "/", release.name, "/", kernel.name, "/", profile.text()));
        if (!entry.ok()) continue;
        menu_kernel.entries.push_back({.distro = *std::move(entry), .key = keys.Next()});
      }
      if (!kernel_variables.empty()) {
        const std::map<std::string, std::string> all =
            KernelVariables(distro.name, release, kernel);
        for (const std::string& name : kernel_variables) {
          menu_kernel.variables.emplace(name, all.at(name));
        }
      }
      if (!menu_kernel.entries.empty()) menu.kernels.push_back(std::move(menu_kernel));
    }
  }
  return menu;
}

// The values that a profile can use, whichever host of the agent and kernel it is for. What differs
// between those begins and ends with characters that can make no reference with their neighbours.
std::map<std::string, std::string> CommonValues(const Snapshot& snapshot, const AgentId& agent) {
  std::map<std::string, std::string> values;
  for (const absl::string_view name : BuiltInVariables()) values[std::string(name)] = kStandIn;
  for (const auto& [name, variable] : MergeVariables(snapshot, agent, nullptr)) {
    values[name] = variable.value;
  }
  return values;
}

// What `command_line` needs and `values` does not have; it gets a stand-in there.
std::vector<VariableName> StandInForUnset(const CommandLineTemplate& command_line,
                                          std::map<std::string, std::string>& values) {
  std::vector<VariableName> unset;
  for (const std::string& required : RequiredVariables(command_line)) {
    if (!CanBeSet(required) || !values.emplace(required, kStandIn).second) continue;
    unset.push_back(VariableName::Parse(required).value());
  }
  return unset;
}

MenuProfile BuildProfile(const Profile& profile, std::map<std::string, std::string> values) {
  MenuProfile built = {
      .name = profile.name, .command_line = profile.command_line, .problem = "", .unset = {}};
  built.unset = StandInForUnset(profile.command_line, values);
  const absl::StatusOr<std::string> expanded =
      ExpandCommandLine(profile.command_line, [&](absl::string_view variable) {
        const auto found = values.find(std::string(variable));
        return found == values.end() ? nullptr : &found->second;
      });
  if (!expanded.ok()) {
    built.problem = absl::StrCat("Profile ", profile.name.text(), ": ",
                                 absl::string_view(expanded.status().message()));
  }
  return built;
}

MenuDeclared BuildDeclared(std::shared_ptr<const DeclaredDistro> distro, char key,
                           std::map<std::string, std::string> values) {
  MenuDeclared built = {.distro = std::move(distro), .key = key, .problem = "", .unset = {}};
  const DeclaredKernel* const kernel = built.kernel();
  if (kernel == nullptr) return built;
  built.unset = StandInForUnset(kernel->arguments, values);
  const absl::StatusOr<std::string> expanded =
      ExpandDeclaredArguments(*kernel, [&](absl::string_view variable) {
        const auto found = values.find(std::string(variable));
        return found == values.end() ? nullptr : &found->second;
      });
  if (!expanded.ok()) {
    built.problem = absl::StrCat("Declared distro ", built.distro->name.text(), ": ",
                                 absl::string_view(expanded.status().message()));
  }
  return built;
}

bool RefersTo(const CommandLineTemplate& command_line, absl::string_view name) {
  const auto pieces = command_line.pieces();
  return std::any_of(pieces.begin(), pieces.end(), [&](const CommandLineTemplate::Piece& piece) {
    return piece.is_reference && piece.text == name;
  });
}

}  // namespace

std::vector<Architecture> SubMenu::Architectures() const {
  std::set<Architecture> found;
  for (const MenuKernel& kernel : kernels) found.insert(kernel.architecture);
  if (found.count(Architecture::kUnknown) > 0) return {};
  return {found.begin(), found.end()};
}

std::vector<Architecture> Menu::Architectures() const {
  std::set<Architecture> found;
  for (const SubMenu& distro : distros) {
    for (const MenuKernel& kernel : distro.kernels) found.insert(kernel.architecture);
  }
  for (const MenuDeclared& entry : declared) found.insert(entry.distro->architecture);
  found.erase(Architecture::kUnknown);
  return {found.begin(), found.end()};
}

std::vector<Architecture> Menu::KernelArchitectures() const {
  std::set<Architecture> found;
  for (const SubMenu& distro : distros) {
    const std::vector<Architecture> own = distro.Architectures();
    if (own.empty()) return {};
    found.insert(own.begin(), own.end());
  }
  return {found.begin(), found.end()};
}

bool Menu::Uses(absl::string_view name) const {
  return std::any_of(profiles.begin(), profiles.end(),
                     [&](const MenuProfile& profile) {
                       return profile.problem.empty() && RefersTo(profile.command_line, name);
                     }) ||
         std::any_of(declared.begin(), declared.end(), [&](const MenuDeclared& entry) {
           return entry.problem.empty() && entry.kernel() != nullptr &&
                  RefersTo(entry.kernel()->arguments, name);
         });
}

Menu BuildMenu(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent) {
  Menu menu;
  const std::map<std::string, std::string> values = CommonValues(snapshot, agent.id);
  for (const auto& [name, profile] : snapshot.profiles()) {
    menu.profiles.push_back(BuildProfile(profile, values));
  }
  std::vector<std::string> kernel_variables;
  for (const char* name : {kArch, kDistroName, kKernel, kRelease}) {
    if (menu.Uses(name)) kernel_variables.push_back(name);
  }
  Keys keys(kKeptByMain);
  for (const CatalogDistro& distro : catalog.distros) {
    SubMenu sub_menu = BuildSubMenu(snapshot, agent, distro, kernel_variables);
    if (sub_menu.kernels.empty()) continue;
    sub_menu.key = keys.Next();
    menu.distros.push_back(std::move(sub_menu));
  }
  for (const auto& [name, distro] : snapshot.declared_distros()) {
    if (FindMissingFile(*distro, catalog) != nullptr) continue;
    menu.declared.push_back(BuildDeclared(distro, keys.Next(), values));
  }
  return menu;
}

}  // namespace autopxe
