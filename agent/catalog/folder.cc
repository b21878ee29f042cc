#include "agent/catalog/folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

constexpr uint64_t kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
constexpr uint64_t kFileFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

// The system's words alone: "No such file or directory". ErrnoToStatus puts the caller's before
// them.
absl::Status LastError() {
  const int error = errno;
  // ELOOP: a link where none may be, or links that lead nowhere; absl has no code for it.
  const absl::StatusCode code =
      error == ELOOP ? absl::StatusCode::kFailedPrecondition : absl::ErrnoToStatusCode(error);
  return absl::Status(code, strerrordesc_np(error));
}

absl::StatusOr<int> OpenBelow(int folder, const std::string& path, uint64_t flags,
                              uint64_t resolve) {
  open_how how = {};
  how.flags = flags;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something on the way was renamed meanwhile, and the kernel could not tell whether the
  // path leads out. Whoever renames without end gets the error.
  for (int tries = 0; tries < 16; ++tries) {
    const long fd = syscall(SYS_openat2, folder, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return LastError();
}

Folder::Identity IdentityOf(const struct stat& found) { return {found.st_dev, found.st_ino}; }

Folder::Kind KindOf(mode_t mode) {
  if (S_ISREG(mode)) return Folder::Kind::kFile;
  if (S_ISDIR(mode)) return Folder::Kind::kFolder;
  if (S_ISLNK(mode)) return Folder::Kind::kLink;
  return Folder::Kind::kOther;
}

absl::StatusOr<FileStamp> ToStamp(const struct stat& found) {
  if (!S_ISREG(found.st_mode)) return absl::FailedPreconditionError("not a regular file");
  return FileStamp{.identity = IdentityOf(found),
                   .size = found.st_size,
                   .modified = absl::TimeFromTimespec(found.st_mtim),
                   .changed = absl::TimeFromTimespec(found.st_ctim)};
}

}  // namespace

bool IsHidden(absl::string_view name) {
  return absl::StartsWith(name, ".") || name == "lost+found";
}

bool IsGone(const absl::Status& error) {
  return absl::IsNotFound(error) || absl::IsFailedPrecondition(error);
}

bool MayPass(const absl::Status& error) {
  return !error.ok() && !IsGone(error) && !absl::IsPermissionDenied(error);
}

absl::StatusOr<Folder> Folder::Open(const std::string& path) {
  const int fd = open(path.c_str(), kFolderFlags);
  if (fd < 0) return LastError();
  return Folder(fd);
}

Folder::~Folder() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Folder> Folder::OpenReal(const std::string& path) const {
  ASSIGN_OR_RETURN(const int fd,
                   OpenBelow(fd_, path, kFolderFlags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS));
  return Folder(fd);
}

absl::StatusOr<Folder> Folder::OpenInside(const std::string& path) const {
  ASSIGN_OR_RETURN(const int fd, OpenBelow(fd_, path, kFolderFlags, RESOLVE_IN_ROOT));
  return Folder(fd);
}

absl::StatusOr<int> Folder::OpenFileInside(const std::string& path) const {
  return OpenBelow(fd_, path, kFileFlags, RESOLVE_IN_ROOT);
}

absl::StatusOr<int> Folder::OpenFileAnywhere(const std::string& name) const {
  return OpenBelow(fd_, name, kFileFlags, /*resolve=*/0);
}

absl::StatusOr<std::vector<Folder::Entry>> Folder::List() const {
  // Opened again for a position of its own: two lists at once don't disturb each other.
  const int fd = openat(fd_, ".", kFolderFlags);
  if (fd < 0) return LastError();
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(fd), closedir);
  if (stream == nullptr) {
    const absl::Status error = LastError();
    close(fd);
    return error;
  }
  std::vector<Entry> entries;
  while (true) {
    errno = 0;
    const dirent* found = readdir(stream.get());
    if (found == nullptr) break;
    const absl::string_view name = found->d_name;
    if (name == "." || name == "..") continue;
    Kind kind = Kind::kOther;
    if (found->d_type == DT_UNKNOWN) {
      // Some file systems don't tell. What is gone by now is left out.
      struct stat examined;
      if (fstatat(fd, found->d_name, &examined, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        return LastError();
      }
      kind = KindOf(examined.st_mode);
    } else {
      kind = KindOf(DTTOIF(found->d_type));
    }
    entries.push_back({std::string(name), kind});
  }
  if (errno != 0) return LastError();
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.name < b.name; });
  return entries;
}

absl::StatusOr<Folder::Identity> Folder::Identify() const {
  struct stat found;
  if (fstat(fd_, &found) != 0) return LastError();
  return IdentityOf(found);
}

absl::StatusOr<Folder::Identity> Folder::IdentifyTarget(const std::string& name) const {
  struct stat found;
  if (fstatat(fd_, name.c_str(), &found, 0) != 0) return LastError();
  return IdentityOf(found);
}

absl::StatusOr<FileStamp> Folder::StampOf(const std::string& name) const {
  struct stat found;
  if (fstatat(fd_, name.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) return LastError();
  return ToStamp(found);
}

std::string Folder::ProcPath() const { return absl::StrCat("/proc/self/fd/", fd_); }

absl::StatusOr<FileStamp> StampOf(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0) return LastError();
  return ToStamp(found);
}

absl::StatusOr<std::string> RealNameOf(int fd) {
  struct stat found;
  if (fstat(fd, &found) != 0) return LastError();
  if (!S_ISREG(found.st_mode)) return absl::FailedPreconditionError("not a regular file");
  char path[PATH_MAX];
  const ssize_t size = readlink(absl::StrCat("/proc/self/fd/", fd).c_str(), path, sizeof path);
  if (size < 0) return LastError();
  const absl::string_view real(path, static_cast<size_t>(size));
  return std::string(real.substr(real.rfind('/') + 1));
}

}  // namespace autopxe::agent
