#include "agent/content/content.h"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"

namespace autopxe::agent {
namespace {

constexpr size_t kPartsAtOnce = 64;

constexpr int64_t kSettledAfterNs = 2'000'000'000;

int64_t Nanoseconds(const timespec& time) {
  return static_cast<int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::shared_ptr<const Content> Content::FromText(std::string text) {
  std::shared_ptr<Content> content(new Content);
  content->size_ = text.size();
  content->text_ = std::move(text);
  return content;
}

absl::StatusOr<std::shared_ptr<const Content>> Content::FromFile(int fd) {
  std::shared_ptr<Content> content(new Content);
  content->fd_ = fd;
  struct stat found;
  if (fstat(fd, &found) != 0) return absl::ErrnoToStatus(errno, "can't examine the file");
  if (!S_ISREG(found.st_mode)) return absl::InvalidArgumentError("not a regular file");
  content->size_ = static_cast<uint64_t>(found.st_size);
  content->modified_ns_ = Nanoseconds(found.st_mtim);
  content->changed_ns_ = Nanoseconds(found.st_ctim);
  content->device_ = found.st_dev;
  content->inode_ = found.st_ino;
  content->links_ = found.st_nlink;
  // A file server's clock may be another: what it dates ahead of ours is never settled.
  timespec now = {};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  content->is_settled_ = Nanoseconds(now) - content->changed_ns_ > kSettledAfterNs;
  return content;
}

Content::~Content() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<size_t> Content::ReadAt(uint64_t offset, absl::Span<char> buffer) const {
  if (offset >= size_) return 0;
  const size_t wanted = std::min<uint64_t>(buffer.size(), size_ - offset);
  if (fd_ < 0) {
    text_.copy(buffer.data(), wanted, offset);
    return wanted;
  }
  size_t done = 0;
  while (done < wanted) {
    const ssize_t count =
        pread(fd_, buffer.data() + done, wanted - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      return absl::ErrnoToStatus(errno, absl::StrFormat("read at byte %d", offset + done));
    }
    if (count == 0) return EndsAt(offset + done);
    done += static_cast<size_t>(count);
  }
  return done;
}

absl::StatusOr<size_t> Content::ReadAt(uint64_t offset,
                                       absl::Span<const absl::Span<char>> parts) const {
  size_t done = 0;
  std::array<iovec, kPartsAtOnce> vectors;
  while (!parts.empty() && offset + done < size_) {
    size_t count = 0;
    size_t wanted = 0;
    for (; count < std::min(parts.size(), vectors.size()) && offset + done + wanted < size_;
         ++count) {
      const size_t length = std::min<uint64_t>(parts[count].size(), size_ - offset - done - wanted);
      vectors[count] = {parts[count].data(), length};
      wanted += length;
    }
    size_t got = 0;
    // Of no bytes the system says no more than of a file's end.
    if (fd_ >= 0 && wanted > 0) {
      const ssize_t read =
          preadv(fd_, vectors.data(), static_cast<int>(count), static_cast<off_t>(offset + done));
      if (read < 0 && errno != EINTR) {
        return absl::ErrnoToStatus(errno, absl::StrFormat("read at byte %d", offset + done));
      }
      if (read == 0) return EndsAt(offset + done);
      got = static_cast<size_t>(std::max<ssize_t>(0, read));
    }
    // What a system call was interrupted in, and all of a text.
    for (size_t i = 0, begin = 0; i < count; begin += vectors[i].iov_len, ++i) {
      const size_t end = begin + vectors[i].iov_len;
      const size_t have = std::clamp(got, begin, end) - begin;
      if (have == vectors[i].iov_len) continue;
      const absl::StatusOr<size_t> rest =
          ReadAt(offset + done + begin + have, parts[i].subspan(have, vectors[i].iov_len - have));
      if (!rest.ok()) return rest.status();
    }
    done += wanted;
    parts.remove_prefix(count);
  }
  return done;
}

absl::Status Content::EndsAt(uint64_t offset) const {
  return absl::DataLossError(
      absl::StrFormat("the file ends at byte %d, it had %d when it was opened", offset, size_));
}

absl::Status Content::CheckUnchanged() const {
  if (fd_ < 0) return absl::OkStatus();
  struct stat found;
  if (fstat(fd_, &found) != 0) return absl::ErrnoToStatus(errno, "can't examine the file");
  if (static_cast<uint64_t>(found.st_size) != size_) {
    return absl::DataLossError(absl::StrFormat(
        "the file has %d bytes, it had %d when it was opened", found.st_size, size_));
  }
  const bool relinked = found.st_nlink != links_;
  if (Nanoseconds(found.st_mtim) != modified_ns_ ||
      (Nanoseconds(found.st_ctim) != changed_ns_ && !relinked)) {
    return absl::DataLossError("the file was written into since it was opened");
  }
  return absl::OkStatus();
}

std::string Content::Version() const {
  if (fd_ < 0) return "";
  return absl::StrFormat("%x-%x-%x-%x-%x", device_, inode_, size_, modified_ns_, changed_ns_);
}

absl::optional<FileIdentity> Content::Identity() const {
  if (!is_settled_) return absl::nullopt;
  return FileIdentity{device_, inode_, size_, modified_ns_, changed_ns_};
}

absl::Time Content::Modified() const { return absl::FromUnixNanos(modified_ns_); }

}  // namespace autopxe::agent
