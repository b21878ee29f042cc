#include "agent/journal/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

constexpr char kName[] = "journal";
constexpr char kTemporary[] = "journal.new";
// The first damaged file tells what began it, so none is replaced but the last.
constexpr const char* kDamaged[] = {"journal.damaged", "journal.damaged.2", "journal.damaged.3",
                                    "journal.damaged.4"};

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

absl::Status WriteAll(int fd, absl::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("can't write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

void CloseIfOpen(int fd) {
  if (fd >= 0) close(fd);
}

}  // namespace

absl::StatusOr<JournalFile> JournalFile::Open(const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SystemError("can't open the state folder", folder);
  return JournalFile(folder, fd);
}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : folder_(other.folder_),
      folder_fd_(std::exchange(other.folder_fd_, -1)),
      fd_(std::exchange(other.fd_, -1)),
      prepared_(std::exchange(other.prepared_, -1)),
      size_(other.size_),
      failed_(other.failed_),
      is_renamed_(other.is_renamed_) {}

JournalFile::~JournalFile() {
  CloseIfOpen(prepared_);
  CloseIfOpen(fd_);
  CloseIfOpen(folder_fd_);
}

std::string JournalFile::PathOf(const char* name) const { return absl::StrCat(folder_, "/", name); }

absl::StatusOr<std::string> JournalFile::Read() const {
  const int fd = openat(folder_fd_, kName, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return SystemError("can't open", PathOf(kName));
  absl::Cleanup closing = [fd] { close(fd); };
  std::string bytes;
  char buffer[1 << 16];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("can't read", PathOf(kName));
    if (count == 0) return bytes;
    bytes.append(buffer, static_cast<size_t>(count));
  }
}

std::string JournalFile::SetAside() const {
  const char* aside = nullptr;
  for (const char* candidate : kDamaged) {
    aside = candidate;
    struct stat found;
    if (fstatat(folder_fd_, candidate, &found, AT_SYMLINK_NOFOLLOW) != 0) break;
  }
  if (renameat(folder_fd_, kName, folder_fd_, aside) != 0) return "it can't be set aside";
  return absl::StrCat("it was set aside as ", aside);
}

JournalFile::Found JournalFile::Load() {
  Found found;
  const absl::StatusOr<std::string> read = Read();
  if (!read.ok()) {
    if (!absl::IsNotFound(read.status())) {
      found.damage = absl::StrCat(read.status().message(), "; ", SetAside());
    }
    return found;
  }
  absl::string_view rest = *read;
  int64_t whole = 0;  // Bytes.
  int damaged_lines = 0;
  if (absl::ConsumePrefix(&rest, kJournalHeader)) {
    whole = static_cast<int64_t>(kJournalHeader.size());
  } else {
    ++damaged_lines;
  }
  for (size_t end = rest.find('\n'); end != absl::string_view::npos; end = rest.find('\n')) {
    absl::StatusOr<JournalFact> fact = ParseJournalLine(rest.substr(0, end));
    if (fact.ok()) {
      found.facts.push_back(*std::move(fact));
    } else {
      ++damaged_lines;
    }
    rest.remove_prefix(end + 1);
    whole += static_cast<int64_t>(end) + 1;
  }
  if (damaged_lines > 0) {
    found.damage = absl::StrCat(PathOf(kName), ": ", damaged_lines, " of its lines can't be read, ",
                                found.facts.size(), " can; ", SetAside());
    return found;
  }
  if (!rest.empty()) {
    LogLine("journal-torn")
        .Add("file", PathOf(kName))
        .Add("cut_bytes", rest.size())
        .Add("facts", found.facts.size())
        .Warn();
  }
  const int fd = openat(folder_fd_, kName, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return found;
  if (!rest.empty() && ftruncate(fd, whole) != 0) {
    close(fd);
    return found;
  }
  fd_ = fd;
  size_ = whole;
  return found;
}

absl::Status JournalFile::Append(absl::string_view lines) {
  if (!is_ready()) {
    return absl::UnavailableError(absl::StrCat("can't write ", PathOf(kName), " any more"));
  }
  absl::Status status = WriteAll(fd_, lines, PathOf(kName));
  if (status.ok()) {
    size_ += static_cast<int64_t>(lines.size());
    return status;
  }
  // A half of a line would damage the next one. If it can't be cut off, Load does it.
  if (ftruncate(fd_, size_) != 0) LogLine("journal-torn").Add("file", PathOf(kName)).Warn();
  failed_ = true;
  return status;
}

absl::Status JournalFile::Sync() {
  if (fd_ >= 0 && fdatasync(fd_) != 0) return SystemError("can't write", PathOf(kName));
  if (is_renamed_ && fsync(folder_fd_) != 0) return SystemError("can't write the folder", folder_);
  is_renamed_ = false;
  return absl::OkStatus();
}

absl::Status JournalFile::Prepare(absl::string_view lines) {
  CloseIfOpen(std::exchange(prepared_, -1));
  // A left-over may have somebody else's mode or be a link: never write into it.
  if (unlinkat(folder_fd_, kTemporary, 0) != 0 && errno != ENOENT) {
    return SystemError("can't remove", PathOf(kTemporary));
  }
  const int fd = openat(folder_fd_, kTemporary,
                        O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return SystemError("can't make", PathOf(kTemporary));
  absl::Cleanup closing = [fd] { close(fd); };
  RETURN_IF_ERROR(WriteAll(fd, absl::StrCat(kJournalHeader, lines), PathOf(kTemporary)));
  if (fsync(fd) != 0) return SystemError("can't write", PathOf(kTemporary));
  std::move(closing).Cancel();
  prepared_ = fd;
  return absl::OkStatus();
}

absl::Status JournalFile::Replace(absl::string_view more) {
  if (prepared_ < 0) return absl::FailedPreconditionError("nothing is prepared");
  const int fd = std::exchange(prepared_, -1);
  absl::Cleanup closing = [fd] { close(fd); };
  RETURN_IF_ERROR(WriteAll(fd, more, PathOf(kTemporary)));
  struct stat found;
  if (fstat(fd, &found) != 0) return SystemError("can't examine", PathOf(kTemporary));
  if (renameat(folder_fd_, kTemporary, folder_fd_, kName) != 0) {
    return SystemError("can't rename", PathOf(kTemporary));
  }
  std::move(closing).Cancel();
  CloseIfOpen(std::exchange(fd_, fd));
  size_ = found.st_size;
  failed_ = false;
  is_renamed_ = true;
  return absl::OkStatus();
}

}  // namespace autopxe::agent
