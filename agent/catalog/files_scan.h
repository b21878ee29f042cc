#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/catalog/file_look.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/scan_warning.h"
#include "agent/catalog/tree_changes.h"
#include "agent/catalog/tree_watch.h"
#include "common/model/catalog.h"

namespace autopxe::agent {

// Folders are looked at so deep below the folder of files, and kMaxCatalogFiles files, folders and
// links: more are a mistake, such as a whole mirror.
inline constexpr int kMaxFilesDepth = 16;

// What was found in the folder of files, and what the next look compares with.
struct FilesLook {
  std::map<std::string, FileLook> files;  // By path below the folder.
  // Those in which every file could be looked at, by path; the folder itself is "".
  std::set<std::string> folders;
  std::vector<ScanWarning> warnings;
  bool is_settled = true;  // False: a file is being written, or could not be read; look again.
};

// The files that are complete, ascending by path.
std::vector<CatalogFile> ListFiles(const FilesLook& look);

// Looks for the regular files in `folder` and the folders below it whose path is one that
// BootFile::Parse takes. Nothing of a file is read. Links to files and folders are followed as if
// `folder` were the root, so none leads out, and none into a folder that it is in itself. What
// is being written is not settled yet (see file_look.h); what a link leads to is as settled as it
// is by its own path. Names that begin with a dot and "lost+found" are passed over in silence, all
// else that is left out is a warning.
//
// `before`: the last look at it, or null. A folder or a file below that can't be read now, and is
// not known to be gone, is kept as it was. `watch`: is told of the folders that are read, before
// they are; or null. Errors: the system's, if `folder` itself can't be read.
absl::StatusOr<FilesLook> ScanFiles(const Folder& folder, const FilesLook* before,
                                    const TreeChanges& changes, const LookTime& now,
                                    TreeWatch* watch);

// The look at a folder of files that itself can't be read now because of `error`, and was looked at
// before: as it was then, and a warning. It is not settled if the error may pass.
FilesLook KeepFiles(const FilesLook& before, const absl::Status& error);

}  // namespace autopxe::agent
