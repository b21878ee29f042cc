#include "boot/boot_files.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace autopxe {

std::string BootFilePath(absl::string_view distro, const CatalogRelease& release,
                         absl::string_view path) {
  return absl::StrCat("boot/", distro, "/", release.folder(), "/", path);
}

std::string RootfsPath(const Settings& settings, const AgentContext& agent,
                       absl::string_view distro, const CatalogRelease& release) {
  absl::string_view prefix = settings.rootfs_path_prefix.has_value()
                                 ? absl::string_view(settings.rootfs_path_prefix->text())
                                 : absl::string_view(agent.rootfs_folder);
  while (absl::ConsumeSuffix(&prefix, "/")) {
  }
  return absl::StrCat(prefix, "/", distro, "/", release.folder());
}

}  // namespace autopxe
