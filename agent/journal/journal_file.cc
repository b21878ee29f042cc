#include "agent/journal/journal_file.h"

#include <fcntl.h>
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

void CloseIfOpen(int fd) {
  if (fd >= 0) close(fd);
}

}  // namespace

absl::StatusOr<JournalFile> JournalFile::Open(const std::string& folder) {
  ASSIGN_OR_RETURN(StateFolder opened, StateFolder::Open(folder));
  return JournalFile(std::move(opened));
}

JournalFile::JournalFile(JournalFile&& other) noexcept
    : folder_(std::move(other.folder_)),
      fd_(std::exchange(other.fd_, -1)),
      prepared_(std::exchange(other.prepared_, -1)),
      size_(other.size_),
      failed_(other.failed_),
      is_renamed_(other.is_renamed_) {}

JournalFile::~JournalFile() {
  CloseIfOpen(prepared_);
  CloseIfOpen(fd_);
}

std::string JournalFile::SetAside() const {
  const std::string aside = folder_.SetAside(kName, kName);
  return aside.empty() ? "it can't be set aside" : absl::StrCat("it was set aside as ", aside);
}

JournalFile::Found JournalFile::Load() {
  Found found;
  const absl::StatusOr<std::string> read = folder_.Read(kName);
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
    found.damage =
        absl::StrCat(folder_.PathOf(kName), ": ", damaged_lines, " of its lines can't be read, ",
                     found.facts.size(), " can; ", SetAside());
    return found;
  }
  if (!rest.empty()) {
    LogLine("journal-torn")
        .Add("file", folder_.PathOf(kName))
        .Add("cut_bytes", rest.size())
        .Add("facts", found.facts.size())
        .Warn();
  }
  const absl::StatusOr<int> fd = folder_.OpenFile(kName, O_WRONLY | O_APPEND, "can't open");
  if (!fd.ok()) return found;
  if (!rest.empty() && ftruncate(*fd, whole) != 0) {
    close(*fd);
    return found;
  }
  fd_ = *fd;
  size_ = whole;
  return found;
}

absl::Status JournalFile::Append(absl::string_view lines) {
  if (!is_ready()) {
    return absl::UnavailableError(absl::StrCat("can't write ", folder_.PathOf(kName), " any more"));
  }
  absl::Status status = WriteAll(fd_, lines, folder_.PathOf(kName));
  if (status.ok()) {
    size_ += static_cast<int64_t>(lines.size());
    return status;
  }
  // A half of a line would damage the next one. If it can't be cut off, Load does it.
  if (ftruncate(fd_, size_) != 0) LogLine("journal-torn").Add("file", folder_.PathOf(kName)).Warn();
  failed_ = true;
  return status;
}

absl::Status JournalFile::Sync() {
  if (fd_ >= 0 && fdatasync(fd_) != 0) return SystemError("can't write", folder_.PathOf(kName));
  if (is_renamed_) RETURN_IF_ERROR(folder_.Sync());
  is_renamed_ = false;
  return absl::OkStatus();
}

absl::Status JournalFile::Prepare(absl::string_view lines) {
  CloseIfOpen(std::exchange(prepared_, -1));
  ASSIGN_OR_RETURN(const int fd, folder_.Make(kTemporary));
  absl::Cleanup closing = [fd] { close(fd); };
  RETURN_IF_ERROR(WriteAll(fd, absl::StrCat(kJournalHeader, lines), folder_.PathOf(kTemporary)));
  if (fsync(fd) != 0) return SystemError("can't write", folder_.PathOf(kTemporary));
  std::move(closing).Cancel();
  prepared_ = fd;
  return absl::OkStatus();
}

absl::Status JournalFile::Replace(absl::string_view more) {
  if (prepared_ < 0) return absl::FailedPreconditionError("nothing is prepared");
  const int fd = std::exchange(prepared_, -1);
  absl::Cleanup closing = [fd] { close(fd); };
  RETURN_IF_ERROR(WriteAll(fd, more, folder_.PathOf(kTemporary)));
  struct stat found;
  if (fstat(fd, &found) != 0) return SystemError("can't examine", folder_.PathOf(kTemporary));
  RETURN_IF_ERROR(folder_.Rename(kTemporary, kName));
  std::move(closing).Cancel();
  CloseIfOpen(std::exchange(fd_, fd));
  size_ = found.st_size;
  failed_ = false;
  is_renamed_ = true;
  return absl::OkStatus();
}

}  // namespace autopxe::agent
