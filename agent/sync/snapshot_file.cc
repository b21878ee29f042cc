#include "agent/sync/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

constexpr char kNewest[] = "configuration.snapshot";
constexpr char kPrevious[] = "configuration.snapshot.previous";
// The first damaged file tells what began it, so none is replaced but the last.
constexpr const char* kDamaged[] = {
    "configuration.snapshot.damaged",
    "configuration.snapshot.damaged.2",
    "configuration.snapshot.damaged.3",
    "configuration.snapshot.damaged.4",
};
constexpr char kTemporary[] = "configuration.snapshot.new";
constexpr char kLock[] = "lock";

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("can't write", path);
    bytes.remove_prefix(written);
  }
  return absl::OkStatus();
}

}  // namespace

SnapshotFile::SnapshotFile(std::string folder, int folder_fd, int lock_fd)
    : folder_(std::move(folder)), folder_fd_(folder_fd), lock_fd_(lock_fd) {}

SnapshotFile::~SnapshotFile() {
  close(lock_fd_);
  close(folder_fd_);
}

std::string SnapshotFile::PathOf(const char* name) const {
  return absl::StrCat(folder_, "/", name);
}

absl::StatusOr<std::unique_ptr<SnapshotFile>> SnapshotFile::Open(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("can't make the state folder", folder);
  }
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return SystemError("can't open the state folder", folder);
  absl::Cleanup close_folder = [folder_fd] { close(folder_fd); };

  const int lock_fd = openat(folder_fd, kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_fd < 0) return SystemError("can't write to the state folder", folder);
  absl::Cleanup close_lock = [lock_fd] { close(lock_fd); };
  if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("can't lock the state folder", folder);
    return absl::FailedPreconditionError(
        absl::StrCat("another agent uses the state folder ", folder,
                     ": stop it, or give this one its own (--state)"));
  }
  std::move(close_lock).Cancel();
  std::move(close_folder).Cancel();
  return std::unique_ptr<SnapshotFile>(new SnapshotFile(folder, folder_fd, lock_fd));
}

absl::StatusOr<StoredSnapshot> SnapshotFile::Read(const char* name) const {
  const int fd = openat(folder_fd_, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return SystemError("can't open", PathOf(name));
  absl::Cleanup closing = [fd] { close(fd); };
  std::string bytes;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("can't read", PathOf(name));
    if (count == 0) break;
    bytes.append(buffer, count);
  }
  return DecodeSnapshot(bytes);
}

const char* SnapshotFile::SetAside(const char* name) const {
  const char* aside = nullptr;
  for (const char* candidate : kDamaged) {
    aside = candidate;
    struct stat found;
    if (fstatat(folder_fd_, candidate, &found, AT_SYMLINK_NOFOLLOW) != 0) break;
  }
  return renameat(folder_fd_, name, folder_fd_, aside) == 0 ? aside : nullptr;
}

absl::StatusOr<StoredSnapshot> SnapshotFile::Load(Problems& problems) {
  for (const char* name : {kNewest, kPrevious}) {
    absl::StatusOr<StoredSnapshot> stored = Read(name);
    if (stored.ok()) return stored;
    if (absl::IsNotFound(stored.status())) continue;
    LogLine("snapshot-unreadable")
        .Add("file", PathOf(name))
        .Add("reason", std::string(stored.status().message()))
        .Warn();
    const bool is_damaged =
        absl::IsDataLoss(stored.status()) || absl::IsUnimplemented(stored.status());
    const char* const aside = is_damaged ? SetAside(name) : nullptr;
    if (aside != nullptr) LogLine("snapshot-set-aside").Add("file", PathOf(aside)).Warn();
    problems.Set(Problems::Kind::kSnapshotUnreadable,
                 absl::StrCat("at the start ", PathOf(name), " could not be used",
                              aside != nullptr ? " and was set aside" : "", ": ",
                              stored.status().message()));
  }
  return absl::NotFoundError(absl::StrCat("no snapshot in ", folder_));
}

absl::Status SnapshotFile::Save(const StoredSnapshot& stored) {
  const std::string bytes = EncodeSnapshot(stored);
  // A left-over of a process that died may belong to somebody else's mode or be a link: never write
  // into it.
  if (unlinkat(folder_fd_, kTemporary, 0) != 0 && errno != ENOENT) {
    return SystemError("can't remove", PathOf(kTemporary));
  }
  const int fd =
      openat(folder_fd_, kTemporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return SystemError("can't make", PathOf(kTemporary));
  absl::Cleanup closing = [fd] { close(fd); };
  RETURN_IF_ERROR(WriteAll(fd, bytes, PathOf(kTemporary)));
  if (fsync(fd) != 0) return SystemError("can't write", PathOf(kTemporary));

  // Dying between the two renames leaves the previous one only, which Load takes.
  if (renameat(folder_fd_, kNewest, folder_fd_, kPrevious) != 0 && errno != ENOENT) {
    return SystemError("can't rename", PathOf(kNewest));
  }
  if (renameat(folder_fd_, kTemporary, folder_fd_, kNewest) != 0) {
    return SystemError("can't rename", PathOf(kTemporary));
  }
  if (fsync(folder_fd_) != 0) return SystemError("can't write the folder", folder_);
  return absl::OkStatus();
}

}  // namespace autopxe::agent
