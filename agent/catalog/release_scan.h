#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
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
  // False: something could not be read, so what the next look finds may have been there before.
  bool is_whole = true;
  bool is_settled = true;  // False: a file is being written, or could not be read; look again.
};

// The last look at the release at `path` ("debian/bookworm"), for when it can't be looked at
// because of `error`, which may pass: a release that is not known to be gone goes on being offered,
// with a warning of `reason`. One that forbids it is looked at again when something changes; any
// other soon.
ReleaseLook KeepLook(const ReleaseLook& before, const std::string& path, const std::string& reason,
                     const absl::Status& error);

// Looks for the kernels of the release in `folder`: "bookworm" of "debian". `before`: the last look
// at it, or null; it is kept (KeepLook) where the folder boot can't be read. `watch`: is told of
// the folders that are read, before they are; or null.
ReleaseLook ScanRelease(const std::string& distro, const std::string& release, const Folder& folder,
                        const ReleaseLook* before, const TreeChanges& changes, const LookTime& now,
                        TreeWatch* watch);

}  // namespace autopxe::agent
