#include "agent/catalog/kernel_list.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "agent/catalog/kernel_version.h"
#include "common/model/version_order.h"

namespace autopxe::agent {
namespace {

CatalogKernel Named(const std::string& name, const FoundKernel& kernel) {
  return {.name = name,
          .version = kernel.version,
          .kernel_path = kernel.kernel_path,
          .initrd_path = kernel.initrd_path,
          .architecture = kernel.architecture,
          .kernel_size = kernel.kernel_size,
          .initrd_size = kernel.initrd_size};
}

}  // namespace

std::vector<CatalogKernel> ListKernels(std::vector<FoundKernel> found,
                                       std::vector<CatalogKernel> fallbacks) {
  const bool rpm =
      std::all_of(found.begin(), found.end(), [](const FoundKernel& k) { return k.rpm; });
  std::sort(found.begin(), found.end(), [rpm](const FoundKernel& a, const FoundKernel& b) {
    const int order = rpm ? CompareRpmVersions(a.version, b.version)
                          : CompareDebianVersions(a.version, b.version);
    // "6.01" and "6.1" are one version: their texts keep the order the same in every scan.
    return order != 0 ? order > 0 : a.version > b.version;
  });

  std::vector<const FoundKernel*> candidates;
  for (const FoundKernel& kernel : found) {
    if (!IsRescueKernel(kernel.version)) candidates.push_back(&kernel);
  }
  const auto flavour = [](const FoundKernel* kernel) { return KernelFlavour(kernel->version); };
  const auto plain = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const FoundKernel* k) { return flavour(k).empty(); });

  std::vector<CatalogKernel> kernels;
  if (const auto latest = plain != candidates.end() ? plain : candidates.begin();
      latest != candidates.end()) {
    kernels.push_back(Named("latest", **latest));
    const std::string wanted = flavour(*latest);
    const auto previous = std::find_if(latest + 1, candidates.end(),
                                       [&](const FoundKernel* k) { return flavour(k) == wanted; });
    if (previous != candidates.end()) kernels.push_back(Named("previous", **previous));
  }
  std::move(fallbacks.begin(), fallbacks.end(), std::back_inserter(kernels));
  for (const FoundKernel& kernel : found) kernels.push_back(Named(kernel.version, kernel));
  return kernels;
}

}  // namespace autopxe::agent
