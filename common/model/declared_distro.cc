#include "common/model/declared_distro.h"

namespace autopxe {

std::vector<const BootFile*> FilesOf(const DeclaredDistro& distro) {
  if (const auto* chain = std::get_if<DeclaredChain>(&distro.boot)) return {&chain->target};
  const auto& kernel = std::get<DeclaredKernel>(distro.boot);
  std::vector<const BootFile*> files = {&kernel.kernel};
  for (const BootFile& initrd : kernel.initrds) files.push_back(&initrd);
  return files;
}

}  // namespace autopxe
