#include "agent/sync/snapshot_file.h"

#include <errno.h>
#include <fcntl.h>
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
constexpr char kTemporary[] = "configuration.snapshot.new";
constexpr char kLock[] = "lock";

}  // namespace

SnapshotFile::SnapshotFile(StateFolder folder, int lock_fd)
    : folder_(std::move(folder)), lock_fd_(lock_fd) {}

SnapshotFile::~SnapshotFile() { close(lock_fd_); }

absl::StatusOr<std::unique_ptr<SnapshotFile>> SnapshotFile::Open(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return SystemError("can't make the state folder", folder);
  }
  ASSIGN_OR_RETURN(StateFolder opened, StateFolder::Open(folder));
  absl::StatusOr<int> lock = opened.OpenFile(kLock, O_RDWR | O_CREAT, "can't write");
  if (!lock.ok()) return lock.status();
  const int lock_fd = *lock;
  absl::Cleanup close_lock = [lock_fd] { close(lock_fd); };
  if (flock(lock_fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return SystemError("can't lock the state folder", folder);
    return absl::FailedPreconditionError(
        absl::StrCat("another agent uses the state folder ", folder,
                     ": stop it, or give this one its own (--state)"));
  }
  std::move(close_lock).Cancel();
  return std::unique_ptr<SnapshotFile>(new SnapshotFile(std::move(opened), lock_fd));
}

absl::StatusOr<StoredSnapshot> SnapshotFile::Read(const char* name) const {
  ASSIGN_OR_RETURN(const std::string bytes, folder_.Read(name));
  return DecodeSnapshot(bytes);
}

absl::StatusOr<StoredSnapshot> SnapshotFile::Load(Problems& problems) {
  for (const char* name : {kNewest, kPrevious}) {
    absl::StatusOr<StoredSnapshot> stored = Read(name);
    if (stored.ok()) return stored;
    if (absl::IsNotFound(stored.status())) continue;
    LogLine("snapshot-unreadable")
        .Add("file", folder_.PathOf(name))
        .Add("reason", std::string(stored.status().message()))
        .Warn();
    const bool is_damaged =
        absl::IsDataLoss(stored.status()) || absl::IsUnimplemented(stored.status());
    const std::string aside = is_damaged ? folder_.SetAside(name, kNewest) : "";
    if (!aside.empty()) LogLine("snapshot-set-aside").Add("file", folder_.PathOf(aside)).Warn();
    problems.Set(
        Problems::Kind::kSnapshotUnreadable,
        absl::StrCat("at the start ", folder_.PathOf(name), " could not be used",
                     aside.empty() ? "" : " and was set aside", ": ", stored.status().message()));
  }
  return absl::NotFoundError(absl::StrCat("no snapshot in ", folder_.path()));
}

absl::Status SnapshotFile::Save(const StoredSnapshot& stored) {
  const std::string bytes = EncodeSnapshot(stored);
  ASSIGN_OR_RETURN(const int fd, folder_.Make(kTemporary));
  absl::Cleanup closing = [fd] { close(fd); };
  RETURN_IF_ERROR(WriteAll(fd, bytes, folder_.PathOf(kTemporary)));
  if (fsync(fd) != 0) return SystemError("can't write", folder_.PathOf(kTemporary));

  // Dying between the two renames leaves the previous one only, which Load takes.
  const absl::Status kept = folder_.Rename(kNewest, kPrevious);
  if (!kept.ok() && !absl::IsNotFound(kept)) return kept;
  RETURN_IF_ERROR(folder_.Rename(kTemporary, kNewest));
  return folder_.Sync();
}

}  // namespace autopxe::agent
