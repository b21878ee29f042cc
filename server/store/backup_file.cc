#include "server/store/backup_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "server/sqlite/database.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {
namespace {

absl::Status SystemStatus(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat("the backup: ", what, ": ", strerror(errno)));
}

absl::StatusOr<RevisionId> CheckCopy(const std::string& path) {
  RETURN_IF_ERROR(Database::CheckFile(path));
  ASSIGN_OR_RETURN(const std::unique_ptr<Database> database,
                   Database::Open({.path = path, .access = Database::Access::kReadOnly}));
  RETURN_IF_ERROR(database->QuickCheck());
  ASSIGN_OR_RETURN(const Revision revision, LoadCurrentRevision(*database));
  return revision.id;
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackupFile>> BackupFile::Open(const std::string& path) {
  const absl::Cleanup remover = [&path] { unlink(path.c_str()); };
  ASSIGN_OR_RETURN(const RevisionId revision, CheckCopy(path));
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemStatus("can't open it");
  std::unique_ptr<BackupFile> file(new BackupFile(fd));
  struct stat found;
  if (fstat(fd, &found) != 0) return SystemStatus("can't look at it");
  file->revision_ = revision;
  file->size_ = found.st_size;
  return file;
}

BackupFile::~BackupFile() { close(fd_); }

absl::StatusOr<std::string> BackupFile::Read(size_t at_most) {
  std::string bytes(at_most, '\0');
  const ssize_t size = pread(fd_, bytes.data(), bytes.size(), offset_);
  if (size < 0) return SystemStatus("can't read it");
  bytes.resize(static_cast<size_t>(size));
  offset_ += size;
  return bytes;
}

}  // namespace autopxe::server
