#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "agent/catalog/catalog_folders.h"
#include "agent/catalog/file_look.h"
#include "agent/catalog/files_scan.h"
#include "agent/catalog/release_scan.h"
#include "agent/catalog/scan_warning.h"
#include "agent/catalog/tree_changes.h"
#include "agent/catalog/tree_watch.h"
#include "common/model/catalog.h"

namespace autopxe::agent {

// What one scan found.
struct Scan {
  Catalog catalog;
  // Of the tree first, then of the loaders, then of the files; always in the same order.
  std::vector<ScanWarning> warnings;
  // False: files are being written, or could not be read. A scan after kQuiet finds more.
  bool is_settled = true;
};

// One distro, and what the next look compares with.
struct DistroLook {
  std::map<std::string, std::shared_ptr<const ReleaseLook>> releases;
  std::map<std::string, std::string> aliases;  // To the names of releases.
};

using DistroLooks = std::map<std::string, DistroLook>;

// Reads the tree of root file systems, the folder of loaders and the folder of files, again and
// again: a release in which nothing has changed is not read again, nor is the folder of files. Used
// by one thread at a time.
//
// <rootfs>/<distro>/<release>/boot/ is searched for kernels (regular files, never links) with an
// initrd of the same version (see kernel_version.h and kernel_list.h). Of a kernel the header is
// read, of all else names and sizes. What is being written is left out until it is complete (see
// file_look.h). "debian" and "ubuntu" also offer "default": the links to a kernel and its initrd
// that these distributions keep themselves, followed inside the release only. A release that is a
// link to another release of the same distro is its alias. Names that begin with a dot,
// "lost+found" and files where folders are expected are passed over in silence.
//
// A loader is a file in <loaders>, or a link to one inside it, whose name ends as IsLoaderName
// says. What is offered of the folder of files, files_scan.h says.
class Scanner {
 public:
  // `watch` is told of every folder before it is read; null: nothing watches. It must outlive this
  // object.
  Scanner(CatalogFolders folders, TreeWatch* watch);

  // Errors: the system's, naming the one of the folders that can't be read; the next scan then
  // begins where this one did. What is wrong deeper is a warning. A distro, a release or a file
  // that can't be read, and is not known to be gone, is offered as it was before; so is the folder
  // of files once it has been read.
  absl::StatusOr<Scan> Run(const TreeChanges& changes, const LookTime& now);

 private:
  const CatalogFolders folders_;
  TreeWatch* const watch_;
  DistroLooks looks_;
  std::shared_ptr<const FilesLook> files_;  // Null before the first scan.
};

}  // namespace autopxe::agent
