#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/model/catalog.h"

namespace autopxe::agent {

// A kernel with its initrd, as found in a release's boot/ folder.
struct FoundKernel {
  std::string version;
  std::string kernel_path;  // Below the release.
  std::string initrd_path;  // Below the release.
  bool rpm = false;         // Its initrd is one of the RHEL family's.
  Architecture architecture = Architecture::kUnknown;
  int64_t kernel_size = 0;  // Bytes, as of initrd_size.
  int64_t initrd_size = 0;
};

// The kernels of a release in the menu's order: latest and previous, then `fallbacks` (the kernel
// named "default"), then every version from the newest. Versions compare as dpkg does, or as RPM
// does where every initrd is one of the RHEL family's.
//
// `latest` is the newest of the plain flavour (see KernelFlavour); where a release has none of it,
// such as one with only cloud kernels, the newest of all. `previous` is the one before it, of the
// same flavour. Rescue kernels are neither.
//
// REQUIRES: no two of `found` have the same version.
std::vector<CatalogKernel> ListKernels(std::vector<FoundKernel> found,
                                       std::vector<CatalogKernel> fallbacks);

}  // namespace autopxe::agent
