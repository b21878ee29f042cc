#pragma once

#include <string>

#include "absl/container/flat_hash_set.h"

namespace autopxe::agent {

// What of the rootfs tree is to be looked at again. Its upper levels and the loaders always are:
// they are a few lists.
struct TreeChanges {
  bool everything = false;
  // Releases whose kernels may have changed: "debian/bookworm".
  absl::flat_hash_set<std::string> releases;
  // Files that their writers have closed: "debian/bookworm/boot/vmlinuz-6.1".
  absl::flat_hash_set<std::string> closed;
  // Files that were written and have not been closed since.
  absl::flat_hash_set<std::string> written;
};

}  // namespace autopxe::agent
