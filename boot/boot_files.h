#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "boot/agent_context.h"
#include "common/model/boot_file.h"
#include "common/model/catalog.h"
#include "common/model/declared_distro.h"
#include "common/model/snapshot.h"

namespace autopxe {

// The path by which a host asks the agent for a kernel or an initrd: "boot/<distro>/<release's
// folder>/<path below the release>", without a leading '/'.
std::string BootFilePath(absl::string_view distro, const CatalogRelease& release,
                         absl::string_view path);

// The same for a file of the agent's folder of files: "files/<path below the folder>".
// REQUIRES: !file.is_url().
std::string BootFilePath(const BootFile& file);

// The first file of `distro` that is to come from the agent and that it does not have, or null.
// Valid as long as `distro`. Nothing is known of files at URLs.
const BootFile* FindMissingFile(const DeclaredDistro& distro, const Catalog& catalog);

// What `rootfs-path` is for a release: the prefix that is set for the agent, or else for all, or
// else the agent's rootfs folder, and "/<distro>/<release's folder>".
std::string RootfsPath(const Snapshot& snapshot, const AgentContext& agent,
                       absl::string_view distro, const CatalogRelease& release);

}  // namespace autopxe
