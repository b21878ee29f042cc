#pragma once

#include <string>

#include "absl/container/flat_hash_set.h"

namespace autopxe::agent {

// What is to be looked at again of the rootfs tree and of the folder of files. The tree's upper
// levels and the loaders always are: they are a few lists.
struct TreeChanges {
  bool everything = false;
  // Releases whose kernels may have changed: "debian/bookworm".
  absl::flat_hash_set<std::string> releases;
  // Files that their writers have closed: "debian/bookworm/boot/vmlinuz-6.1".
  absl::flat_hash_set<std::string> closed;
  // Files that were written and have not been closed since.
  absl::flat_hash_set<std::string> written;
  // Whether anything in the folder of files may have changed. It is looked at as a whole.
  bool files = false;
  // The same of its files, by path below it, as of those of the rootfs tree.
  absl::flat_hash_set<std::string> closed_files;
  absl::flat_hash_set<std::string> written_files;
};

}  // namespace autopxe::agent
