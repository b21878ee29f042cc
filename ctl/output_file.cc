#include "ctl/output_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace autopxe::ctl {
namespace {

absl::Status SystemStatus(const std::string& path, absl::string_view what) {
  return absl::FailedPreconditionError(
      absl::StrCat("file \"", path, "\": ", what, ": ", strerror(errno)));
}

absl::Status IsThere(const std::string& path) {
  return absl::FailedPreconditionError(absl::StrCat(
      "file \"", path, "\": it is there already; name another one, or replace it with --force"));
}

// Makes the name durable.
absl::Status SyncFolder(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemStatus(path, "can't open its folder");
  const int result = fsync(fd);
  close(fd);
  return result == 0 ? absl::OkStatus() : SystemStatus(path, "can't sync its folder");
}

}  // namespace

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(const std::string& path,
                                                               bool replace) {
  struct stat found;
  if (!replace && lstat(path.c_str(), &found) == 0) return IsThere(path);
  std::string unfinished = absl::StrCat(path, ".XXXXXX");
  const int fd = mkostemp(unfinished.data(), O_CLOEXEC);  // With mode 0600.
  if (fd < 0) return SystemStatus(path, "can't write beside it");
  return std::unique_ptr<OutputFile>(new OutputFile(path, std::move(unfinished), fd, replace));
}

OutputFile::~OutputFile() {
  close(fd_);
  if (!unfinished_.empty()) unlink(unfinished_.c_str());
}

absl::Status OutputFile::Write(absl::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemStatus(path_, "can't write it");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status OutputFile::Commit() {
  if (fsync(fd_) != 0) return SystemStatus(path_, "can't sync it");
  if (renameat2(AT_FDCWD, unfinished_.c_str(), AT_FDCWD, path_.c_str(),
                replace_ ? 0 : RENAME_NOREPLACE) != 0) {
    if (errno == EEXIST) return IsThere(path_);
    // Some network file systems can't rename without replacing; it was looked before.
    if (errno != EINVAL || rename(unfinished_.c_str(), path_.c_str()) != 0) {
      return SystemStatus(path_, "can't give it its name");
    }
  }
  unfinished_.clear();
  return SyncFolder(path_);
}

}  // namespace autopxe::ctl
