#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace autopxe::agent {

// Which file it is, and in which state: two contents with the same have the same bytes.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;

  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;

  template <typename H>
  friend H AbslHashValue(H hash, const FileIdentity& identity) {
    return H::combine(std::move(hash), identity.device, identity.inode, identity.size,
                      identity.modified_ns, identity.changed_ns);
  }
};

// The bytes that a requested path yields: a text in memory or an open regular file. Immutable and
// shared; safe to read from any thread. A file that is replaced or deleted keeps its old content
// here, since the descriptor stays open.
class Content {
 public:
  static std::shared_ptr<const Content> FromText(std::string text);

  // Takes the descriptor over, and closes it on an error too. Errors: INVALID_ARGUMENT if it is not
  // a regular file; the system's error if it can't be examined.
  static absl::StatusOr<std::shared_ptr<const Content>> FromFile(int fd);

  ~Content();
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  // Bytes; of a file, as it was when it was opened.
  uint64_t size() const { return size_; }

  // The descriptor, for sendfile; -1 for a text. Owned by this object.
  int fd() const { return fd_; }

  // The text; empty for a file.
  const std::string& text() const { return text_; }

  // Reads up to buffer.size() bytes at `offset`; fewer only at the end.
  // Errors: DATA_LOSS if the file ends before its size (it was truncated); the system's error.
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) const;

  // The same with the bytes in parts, one behind the other, by one system call.
  absl::StatusOr<size_t> ReadAt(uint64_t offset, absl::Span<const absl::Span<char>> parts) const;

  // OK while the file is what was opened: size, mtime and ctime as they were, where a ctime that
  // moved together with the count of links says only that the file was deleted, replaced or linked.
  // A text always is. Errors: DATA_LOSS, if somebody wrote into it: what was sent so far mixes two
  // versions; the system's error.
  absl::Status CheckUnchanged() const;

  // Of a settled file (see Identity) it changes whenever the bytes may have: an HTTP entity tag
  // without its quotes, hexadecimal digits and dashes. Empty for a text.
  std::string Version() const;

  // Unset for a text, and for a file that was changed within two seconds of being opened: file
  // systems count time in ticks, so it could be written to once more and look the same.
  absl::optional<FileIdentity> Identity() const;

  // When the file was last written, as it was when it was opened; the epoch for a text.
  absl::Time Modified() const;

 private:
  Content() = default;

  absl::Status EndsAt(uint64_t offset) const;

  std::string text_;
  int fd_ = -1;
  uint64_t size_ = 0;
  int64_t modified_ns_ = 0;
  int64_t changed_ns_ = 0;
  uint64_t device_ = 0;
  uint64_t inode_ = 0;
  uint64_t links_ = 0;
  bool is_settled_ = false;
};

}  // namespace autopxe::agent
