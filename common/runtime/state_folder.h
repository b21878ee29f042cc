#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// A folder in which a program keeps files of its own, of mode 0600. A file's name is one without a
// '/'. Nothing is read or written through a link. Thread-safe, but for moving it.
class StateFolder {
 public:
  // It must exist. Errors: the system's, naming it.
  static absl::StatusOr<StateFolder> Open(const std::string& path);

  StateFolder(StateFolder&& other) noexcept;
  StateFolder& operator=(StateFolder&&) = delete;
  ~StateFolder();

  const std::string& path() const { return path_; }
  std::string PathOf(absl::string_view name) const;

  // Opens a file as openat() does with these flags, and makes it with mode 0600 if they say so.
  // The caller closes it. Errors: the system's, with `what` ("can't open") and the file's path.
  absl::StatusOr<int> OpenFile(const std::string& name, int flags, absl::string_view what) const;

  // All of a file. Errors: the system's; NOT_FOUND: there is none.
  absl::StatusOr<std::string> Read(const std::string& name) const;

  // Opens a new, empty file, to be written and appended to. One that was left there is removed: it
  // may have somebody else's mode or be a link. The caller closes it. Errors: the system's.
  absl::StatusOr<int> Make(const std::string& name) const;

  // Errors: the system's, naming `from`.
  absl::Status Rename(const std::string& from, const std::string& to) const;

  // Renames a file that is damaged, for a person to look at, to `<as>.damaged`, or with .2, .3 or
  // .4 behind that: the first damaged file tells what began it, so only the last is replaced.
  // Returns the new name; empty if it can't be renamed.
  std::string SetAside(const std::string& name, absl::string_view as) const;

  // Brings what was renamed to the disk. Errors: the system's.
  absl::Status Sync() const;

 private:
  StateFolder(std::string path, int fd);

  const std::string path_;
  int fd_;  // -1: moved from.
};

// `errno` as a status: "can't write /var/lib/x/y: No space left on device".
absl::Status SystemError(absl::string_view what, absl::string_view path);

// Writes all of `bytes`; `path` is for the error. Errors: the system's.
absl::Status WriteAll(int fd, absl::string_view bytes, absl::string_view path);

}  // namespace autopxe
