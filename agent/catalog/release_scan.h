#pragma once

#include <map>
#include <string>
#include <vector>

#include "agent/catalog/file_look.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/scan_warning.h"
#include "agent/catalog/tree_changes.h"
#include "agent/catalog/tree_watch.h"
#include "common/model/catalog.h"

namespace autopxe::agent {

// What was found in one release, and what the next look compares with.
struct ReleaseLook {
  Folder::Identity identity;
  std::vector<CatalogKernel> kernels;
  std::vector<ScanWarning> warnings;      // One at least when there are no kernels.
  std::map<std::string, FileLook> files;  // By path below the release.
  bool is_settled = true;                 // False: a file is being written; look again.
};

// Looks for the kernels of the release in `folder`: "bookworm" of "debian". `before`: the last look
// at it, or null. `watch`: is told of the folders that are read, before they are; or null.
ReleaseLook ScanRelease(const std::string& distro, const std::string& release, const Folder& folder,
                        const ReleaseLook* before, const TreeChanges& changes, const LookTime& now,
                        TreeWatch* watch);

}  // namespace autopxe::agent
