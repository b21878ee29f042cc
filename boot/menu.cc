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

constexpr char kKeptByMain[] = {kFirstEntryKey, kConfigureKey, kShellKey,
                                kRebootKey,     kLocalKey,     '\0'};
constexpr char kKeptBySubMenu[] = {kBackKey, '\0'};

SubMenu BuildSubMenu(const Snapshot& snapshot, const AgentContext& agent,
                     const CatalogDistro& distro) {
  SubMenu menu;
  Keys keys(kKeptBySubMenu);
  for (const CatalogRelease& release : distro.releases) {
    const std::string rootfs_path = RootfsPath(snapshot, agent, distro.name, release);
    for (const CatalogKernel& kernel : release.kernels) {
      MenuKernel menu_kernel = {
          .kernel_file = BootFilePath(distro.name, release, kernel.kernel_path),
          .initrd_file = BootFilePath(distro.name, release, kernel.initrd_path),
          .rootfs_path = rootfs_path,
          .architecture = kernel.architecture,
          .entries = {},
      };
      for (const auto& [profile, unused] : snapshot.profiles()) {
        absl::StatusOr<Distro> entry = Distro::Parse(
            absl::StrCat(distro.name, "/", release.name, "/", kernel.name, "/", profile.text()));
        if (!entry.ok()) continue;
        menu_kernel.entries.push_back({.distro = *std::move(entry), .key = keys.Next()});
      }
      if (!menu_kernel.entries.empty()) menu.kernels.push_back(std::move(menu_kernel));
    }
  }
  return menu;
}

// The values that a profile can use, whichever host of the agent and kernel it is for. What differs
// between those begins and ends with a character that can make no reference with its neighbours.
std::map<std::string, std::string> CommonValues(const Snapshot& snapshot, const AgentId& agent) {
  std::map<std::string, std::string> values = {
      {kRootfsPath, "/"}, {kHost, "h"}, {kMac, "m"}, {kAgentAddress, "1"}};
  for (const auto& [name, variable] : MergeVariables(snapshot, agent, nullptr)) {
    values[name] = variable.value;
  }
  return values;
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
  found.erase(Architecture::kUnknown);
  return {found.begin(), found.end()};
}

bool Menu::KnowsArchitectures() const {
  return !distros.empty() && std::none_of(distros.begin(), distros.end(), [](const SubMenu& menu) {
    return menu.Architectures().empty();
  });
}

Menu BuildMenu(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent) {
  Menu menu;
  Keys keys(kKeptByMain);
  for (const CatalogDistro& distro : catalog.distros) {
    SubMenu sub_menu = BuildSubMenu(snapshot, agent, distro);
    if (sub_menu.kernels.empty()) continue;
    sub_menu.key = keys.Next();
    menu.distros.push_back(std::move(sub_menu));
  }

  const std::map<std::string, std::string> values = CommonValues(snapshot, agent.id);
  for (const auto& [name, profile] : snapshot.profiles()) {
    const absl::StatusOr<std::string> expanded =
        ExpandCommandLine(profile.command_line, [&](absl::string_view variable) {
          const auto found = values.find(std::string(variable));
          return found == values.end() ? nullptr : &found->second;
        });
    menu.profiles.push_back(
        {.name = name,
         .command_line = profile.command_line,
         .problem = expanded.ok() ? ""
                                  : absl::StrCat("Profile ", name.text(), ": ",
                                                 absl::string_view(expanded.status().message()))});
  }
  return menu;
}

}  // namespace autopxe
