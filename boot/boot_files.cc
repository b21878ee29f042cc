#include "boot/boot_files.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace autopxe {
namespace {

absl::string_view Prefix(const Snapshot& snapshot, const AgentContext& agent) {
  const AgentSettings* const own = snapshot.FindAgentSettings(agent.id);
  if (own != nullptr && own->rootfs_path_prefix) return own->rootfs_path_prefix->text();
  const Settings& settings = snapshot.settings();
  return settings.rootfs_path_prefix ? settings.rootfs_path_prefix->text() : agent.rootfs_folder;
}

}  // namespace

std::string BootFilePath(absl::string_view distro, const CatalogRelease& release,
                         absl::string_view path) {
  return absl::StrCat("boot/", distro, "/", release.folder(), "/", path);
}

std::string BootFilePath(const BootFile& file) { return absl::StrCat("files/", file.text()); }

const BootFile* FindMissingFile(const DeclaredDistro& distro, const Catalog& catalog) {
  for (const BootFile* file : FilesOf(distro)) {
    if (!file->is_url() && catalog.FindFile(file->text()) == nullptr) return file;
  }
  return nullptr;
}

std::string RootfsPath(const Snapshot& snapshot, const AgentContext& agent,
                       absl::string_view distro, const CatalogRelease& release) {
  absl::string_view prefix = Prefix(snapshot, agent);
  while (absl::ConsumeSuffix(&prefix, "/")) {
  }
  return absl::StrCat(prefix, "/", distro, "/", release.folder());
}

}  // namespace autopxe
