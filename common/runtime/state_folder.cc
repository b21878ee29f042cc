#include "common/runtime/state_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace autopxe {

absl::Status SystemError(absl::string_view what, absl::string_view path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status WriteAll(int fd, absl::string_view bytes, absl::string_view path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("can't write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<StateFolder> StateFolder::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("can't open the state folder", path);
  return StateFolder(path, fd);
}

StateFolder::StateFolder(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

StateFolder::StateFolder(StateFolder&& other) noexcept
    : path_(other.path_), fd_(std::exchange(other.fd_, -1)) {}

StateFolder::~StateFolder() {
  if (fd_ >= 0) close(fd_);
}

std::string StateFolder::PathOf(absl::string_view name) const {
  return absl::StrCat(path_, "/", name);
}

absl::StatusOr<int> StateFolder::OpenFile(const std::string& name, int flags,
                                          absl::string_view what) const {
  const int fd = openat(fd_, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return SystemError(what, PathOf(name));
  return fd;
}

absl::StatusOr<std::string> StateFolder::Read(const std::string& name) const {
  ASSIGN_OR_RETURN(const int fd, OpenFile(name, O_RDONLY, "can't open"));
  absl::Cleanup closing = [fd] { close(fd); };
  struct stat found;
  if (fstat(fd, &found) != 0) return SystemError("can't read", PathOf(name));
  std::string bytes;
  bytes.reserve(static_cast<size_t>(found.st_size));
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("can't read", PathOf(name));
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(count));
  }
}

absl::StatusOr<int> StateFolder::Make(const std::string& name) const {
  if (unlinkat(fd_, name.c_str(), 0) != 0 && errno != ENOENT) {
    return SystemError("can't remove", PathOf(name));
  }
  return OpenFile(name, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, "can't make");
}

absl::Status StateFolder::Rename(const std::string& from, const std::string& to) const {
  if (renameat(fd_, from.c_str(), fd_, to.c_str()) == 0) return absl::OkStatus();
  return SystemError("can't rename", PathOf(from));
}

std::string StateFolder::SetAside(const std::string& name, absl::string_view as) const {
  std::string aside;
  for (const char* suffix : {"", ".2", ".3", ".4"}) {
    aside = absl::StrCat(as, ".damaged", suffix);
    struct stat found;
    if (fstatat(fd_, aside.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) break;
  }
  return Rename(name, aside).ok() ? aside : "";
}

absl::Status StateFolder::Sync() const {
  if (fsync(fd_) != 0) return SystemError("can't write the folder", path_);
  return absl::OkStatus();
}

}  // namespace autopxe
