#include "agent/catalog/boot_file.h"

#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "agent/catalog/kernel_version.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

bool IsBootFileName(absl::string_view name) {
  return name == "vmlinuz" || name == "initrd.img" || ParseBootFileName(name).has_value();
}

}  // namespace

absl::StatusOr<int> OpenBootFile(const Folder& folder, const std::string& path) {
  ASSIGN_OR_RETURN(const int fd, folder.OpenFileInside(path));
  absl::Cleanup closer = [fd] { close(fd); };
  ASSIGN_OR_RETURN(const std::string real, RealNameOf(fd));
  if (!IsBootFileName(real)) {
    return absl::FailedPreconditionError(
        "a link to a file that is not named as a kernel or an initrd");
  }
  std::move(closer).Cancel();
  return fd;
}

}  // namespace autopxe::agent
