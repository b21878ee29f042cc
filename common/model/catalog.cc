#include "common/model/catalog.h"

#include <algorithm>

namespace autopxe {
namespace {

// The element of a list that ascends by name, or null.
template <typename Element>
const Element* FindByName(const std::vector<Element>& elements, absl::string_view name) {
  const auto found = std::lower_bound(
      elements.begin(), elements.end(), name,
      [](const Element& element, absl::string_view wanted) { return element.name < wanted; });
  return found != elements.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

const CatalogKernel* CatalogRelease::FindKernel(absl::string_view kernel) const {
  for (const CatalogKernel& candidate : kernels) {
    if (candidate.name == kernel) return &candidate;
  }
  return nullptr;
}

const CatalogRelease* Catalog::FindRelease(absl::string_view distro,
                                           absl::string_view release) const {
  const CatalogDistro* found = FindByName(distros, distro);
  return found == nullptr ? nullptr : FindByName(found->releases, release);
}

const CatalogFile* Catalog::FindFile(absl::string_view path) const {
  const auto found =
      std::lower_bound(files.begin(), files.end(), path,
                       [](const CatalogFile& file, absl::string_view p) { return file.path < p; });
  return found == files.end() || found->path != path ? nullptr : &*found;
}

size_t Catalog::KernelCount() const {
  size_t count = 0;
  for (const CatalogDistro& distro : distros) {
    for (const CatalogRelease& release : distro.releases) count += release.kernels.size();
  }
  return count;
}

}  // namespace autopxe
