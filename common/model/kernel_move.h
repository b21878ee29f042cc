#pragma once

#include <string>
#include <vector>

#include "common/model/catalog.h"

namespace autopxe {

// A name of a kernel that began to stand for another version: "latest", "previous" or "default".
struct KernelMove {
  std::string distro;
  std::string release;
  std::string kernel;
  std::string version_before;
  std::string version_after;

  // "debian/bookworm/latest".
  std::string Format() const;

  friend bool operator==(const KernelMove&, const KernelMove&) = default;
};

// What moved from one catalog of an agent to its next, in the catalog's order. What one of them
// does not have at all, or has no version of, has not moved.
std::vector<KernelMove> FindKernelMoves(const Catalog& before, const Catalog& after);

}  // namespace autopxe
