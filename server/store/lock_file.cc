#include "server/store/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace autopxe::server {
namespace {

absl::Status SystemStatus(const std::string& path, absl::string_view what) {
  return absl::UnavailableError(
      absl::StrCat("lock file \"", path, "\": ", what, ": ", strerror(errno)));
}

// Who says in the file that it holds it.
std::string Holder(int fd) {
  char text[32];
  const ssize_t size = pread(fd, text, sizeof(text), 0);
  int pid = 0;
  if (size > 0 && absl::SimpleAtoi(absl::string_view(text, size), &pid)) {
    return absl::StrCat("process ", pid);
  }
  return "another process";
}

}  // namespace

absl::StatusOr<std::unique_ptr<LockFile>> LockFile::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 && errno == ENOENT) {
    return absl::UnavailableError(
        absl::StrCat("lock file \"", path,
                     "\": its folder is not there; make it, or name a database in another one"));
  }
  if (fd < 0) return SystemStatus(path, "can't open it");
  std::unique_ptr<LockFile> lock(new LockFile(fd));
  if (fchmod(fd, 0600) != 0) return SystemStatus(path, "can't set its mode to 0600");
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemStatus(path, "can't lock it");
    return absl::FailedPreconditionError(
        absl::StrCat("lock file \"", path, "\": held by ", Holder(fd), "; stop that first"));
  }
  // Only for the message above: the lock holds without it.
  const std::string pid = absl::StrCat(getpid(), "\n");
  if (ftruncate(fd, 0) != 0 ||
      pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return SystemStatus(path, "can't write to it");
  }
  return lock;
}

LockFile::~LockFile() { close(fd_); }

}  // namespace autopxe::server
