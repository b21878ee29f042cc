#include "agent/catalog/loader_file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "agent/catalog/loader_name.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {

absl::StatusOr<int> OpenLoader(const Folder& loaders, const std::string& name) {
  ASSIGN_OR_RETURN(const int fd, loaders.OpenFileAnywhere(name));
  absl::Cleanup closer = [fd] { close(fd); };
  struct stat found;
  if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
    return absl::FailedPreconditionError("not a regular file");
  }
  // The name of what was opened, not of what a path leads to by now.
  char path[PATH_MAX];
  const ssize_t size = readlink(absl::StrCat("/proc/self/fd/", fd).c_str(), path, sizeof path);
  absl::string_view real(path, size < 0 ? 0 : static_cast<size_t>(size));
  real.remove_prefix(real.rfind('/') + 1);
  if (!IsLoaderName(real)) {
    return absl::FailedPreconditionError("a link to a file that is not named as a loader");
  }
  std::move(closer).Cancel();
  return fd;
}

}  // namespace autopxe::agent
