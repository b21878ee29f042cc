#include "boot/menu.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "boot/boot_files.h"
#include "boot/command_line.h"
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

// For a value that is not known yet: as short as one that counts for set, and of a character that
// makes no reference with its neighbours.
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

MenuProfile BuildProfile(const Profile& profile,
                         const std::map<std::string, Decision::Variable>& variables) {
  MenuProfile built = {.name = profile.name,
                       .command_line = profile.command_line,
                       .problem = FindProblem(profile.name, profile.command_line, variables),
                       .unset = {}};
  for (const std::string& required : RequiredVariables(profile.command_line)) {
    if (!CanBeSet(required) || variables.count(required) > 0) continue;
    built.unset.push_back(VariableName::Parse(required).value());
  }
  return built;
}

}  // namespace

std::string FindProblem(const ProfileName& profile, const CommandLineTemplate& command_line,
                        const std::map<std::string, Decision::Variable>& variables) {
  static const auto* const stand_in = new std::string(kStandIn);
  const std::vector<std::string> required = RequiredVariables(command_line);
  const absl::StatusOr<std::string> expanded =
      ExpandCommandLine(command_line, [&](absl::string_view name) -> const std::string* {
        if (IsBuiltInVariable(name)) return stand_in;
        const auto found = variables.find(std::string(name));
        if (found != variables.end()) return &found->second.value;
        const bool is_needed = std::find(required.begin(), required.end(), name) != required.end();
        return is_needed && CanBeSet(name) ? stand_in : nullptr;
      });
  if (expanded.ok()) return "";
  return absl::StrCat("Profile ", profile.text(), ": ",
                      absl::string_view(expanded.status().message()));
}

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
  found.erase(Architecture::kUnknown);
  return {found.begin(), found.end()};
}

bool Menu::KnowsArchitectures() const {
  return !distros.empty() && std::none_of(distros.begin(), distros.end(), [](const SubMenu& menu) {
    return menu.Architectures().empty();
  });
}

bool Menu::Uses(absl::string_view name) const {
  return std::any_of(profiles.begin(), profiles.end(), [&](const MenuProfile& profile) {
    const auto pieces = profile.command_line.pieces();
    return std::any_of(pieces.begin(), pieces.end(), [&](const CommandLineTemplate::Piece& piece) {
      return piece.is_reference && piece.text == name;
    });
  });
}

Menu BuildMenu(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent) {
  Menu menu;
  const std::map<std::string, Decision::Variable> variables =
      MergeVariables(snapshot, agent.id, nullptr);
  for (const auto& [name, profile] : snapshot.profiles()) {
    menu.profiles.push_back(BuildProfile(profile, variables));
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
  return menu;
}

}  // namespace autopxe
