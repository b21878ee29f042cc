#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace autopxe::agent {

// What tells whether a file is still the one that was looked at, and as it was.
struct FileStamp {
  std::pair<uint64_t, uint64_t> identity;  // See Folder::Identity.
  int64_t size = 0;                        // Bytes.
  // By the clock of whoever holds the files: another's, on NFS.
  absl::Time modified;
  absl::Time changed;  // Its content, mode, owner or name.

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Whether a name is one that every file system has, such as those of snapshots of file servers:
// never meant to be offered.
bool IsHidden(absl::string_view name);

// Whether an error of a folder's or a file's says that it is not there, or that something else is
// in its place.
bool IsGone(const absl::Status& error);

// Whether asking again soon may be answered otherwise: no descriptors left, a disk or a file server
// that fails. What is gone, or must not be read, shows by what changes.
bool MayPass(const absl::Status& error);

// An open folder. What is in it is opened relative to it, so a link or a rename elsewhere can't
// lead out of it. Errors hold the system's words and no path: the caller knows which.
class Folder {
 public:
  enum class Kind { kFile, kFolder, kLink, kOther };

  struct Entry {
    std::string name;  // Any bytes but '/' and NUL.
    Kind kind;
  };

  // Tells whether two paths are one folder. Unique while the folder exists.
  using Identity = std::pair<uint64_t, uint64_t>;

  // Links in `path` are followed: it is the administrator's.
  static absl::StatusOr<Folder> Open(const std::string& path);

  Folder(Folder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Folder& operator=(Folder&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Folder();

  // Opens a folder below this one; fails on any link on the way.
  absl::StatusOr<Folder> OpenReal(const std::string& path) const;

  // Opens a folder below this one; links are followed as if this folder were the root (openat2's
  // RESOLVE_IN_ROOT), so an absolute one begins here and ".." ends here.
  absl::StatusOr<Folder> OpenInside(const std::string& path) const;

  // Opens a file below this one for reading, with links as in OpenInside. Never waits for a pipe's
  // other end. The caller owns the descriptor, which may be of anything but a folder.
  absl::StatusOr<int> OpenFileInside(const std::string& path) const;

  // Opens a file of this folder for reading and follows links wherever they lead: for a folder in
  // which only the administrator makes links. Otherwise as OpenFileInside. REQUIRES: `name` has no
  // '/'.
  absl::StatusOr<int> OpenFileAnywhere(const std::string& name) const;

  // Ascending by name, without "." and "..".
  absl::StatusOr<std::vector<Entry>> List() const;

  absl::StatusOr<Identity> Identify() const;

  // The stamp of a regular file of this folder. Opens nothing, follows no link. Errors: the
  // system's; FAILED_PRECONDITION if it is no regular file.
  absl::StatusOr<FileStamp> StampOf(const std::string& name) const;

  // A path that leads here within this process, whatever has become of the folder's name.
  std::string ProcPath() const;

  // The identity of what a name in this folder leads to. Follows links wherever they lead, and
  // opens nothing.
  absl::StatusOr<Identity> IdentifyTarget(const std::string& name) const;

 private:
  explicit Folder(int fd) : fd_(fd) {}

  int fd_;
};

// The stamp of the regular file that `fd` is of. Errors as of Folder::StampOf.
absl::StatusOr<FileStamp> StampOf(int fd);

// The name, without the folders before it, of the regular file that `fd` is of: of what was opened,
// not of what a path leads to by now. Errors: the system's; FAILED_PRECONDITION if it is no regular
// file.
absl::StatusOr<std::string> RealNameOf(int fd);

}  // namespace autopxe::agent
