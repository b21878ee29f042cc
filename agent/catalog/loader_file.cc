#include "agent/catalog/loader_file.h"

#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "agent/catalog/loader_name.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {

absl::StatusOr<int> OpenLoader(const Folder& loaders, const std::string& name) {
  ASSIGN_OR_RETURN(const int fd, loaders.OpenFileAnywhere(name));
  absl::Cleanup closer = [fd] { close(fd); };
  ASSIGN_OR_RETURN(const std::string real, RealNameOf(fd));
  if (!IsLoaderName(real)) {
    return absl::FailedPreconditionError("a link to a file that is not named as a loader");
  }
  std::move(closer).Cancel();
  return fd;
}

}  // namespace autopxe::agent
