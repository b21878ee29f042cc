#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/model/catalog.h"

namespace autopxe::agent {

// Something that looks as if it were meant to be offered, and is not.
struct ScanWarning {
  // Below the folder that was scanned, such as "debian/trixie". May hold any byte.
  std::string path;
  // A clause: "no kernel with an initrd of the same version".
  std::string reason;

  friend bool operator==(const ScanWarning&, const ScanWarning&) = default;
};

// What one scan found.
struct Scan {
  Catalog catalog;
  std::vector<ScanWarning> warnings;  // Of the tree first; always in the same order.
};

// Reads the tree of root file systems and the folder of loaders, once each. Reads names, never a
// file's bytes.
//
// <rootfs>/<distro>/<release>/boot/ is searched for kernels (regular files, never links) with an
// initrd of the same version (see kernel_version.h and kernel_list.h). "debian" and "ubuntu" also
// offer "default": the links to a kernel and its initrd that these distributions keep themselves,
// followed inside the release only. A release that is a link to another release of the same distro
// is its alias. Names that begin with a dot, "lost+found" and files where folders are expected are
// passed over in silence.
//
// A loader is a file in <loaders>, or a link to one inside it, whose name ends as IsLoaderName
// says.
//
// Errors: the system's, naming the one of the two folders that can't be read. What is wrong deeper
// is a warning.
absl::StatusOr<Scan> ScanFolders(const std::string& rootfs_folder,
                                 const std::string& loaders_folder);

}  // namespace autopxe::agent
