#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace autopxe::server {

// Holds a file locked as long as it lives, against every other process and every other LockFile.
// Ends with the process, however that ends; the file itself stays.
class LockFile {
 public:
  // Makes the file with mode 0600 if need be.
  // Errors: FAILED_PRECONDITION, naming the process that holds it, if one does; UNAVAILABLE if the
  // file can't be opened.
  static absl::StatusOr<std::unique_ptr<LockFile>> Open(const std::string& path);

  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

 private:
  explicit LockFile(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace autopxe::server
