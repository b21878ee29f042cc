#include "common/model/kernel_move.h"

#include "absl/strings/str_cat.h"

namespace autopxe {

std::string KernelMove::Format() const { return absl::StrCat(distro, "/", release, "/", kernel); }

std::vector<KernelMove> FindKernelMoves(const Catalog& before, const Catalog& after) {
  std::vector<KernelMove> moves;
  for (const CatalogDistro& distro : after.distros) {
    for (const CatalogRelease& release : distro.releases) {
      const CatalogRelease* release_before = before.FindRelease(distro.name, release.name);
      if (release_before == nullptr) continue;
      for (const CatalogKernel& kernel : release.kernels) {
        // A version always stands for itself.
        if (kernel.version.empty() || kernel.name == kernel.version) continue;
        const CatalogKernel* kernel_before = release_before->FindKernel(kernel.name);
        if (kernel_before == nullptr || kernel_before->version.empty() ||
            kernel_before->version == kernel.version) {
          continue;
        }
        moves.push_back(
            {distro.name, release.name, kernel.name, kernel_before->version, kernel.version});
      }
    }
  }
  return moves;
}

}  // namespace autopxe
