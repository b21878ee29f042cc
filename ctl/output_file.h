#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe::ctl {

// A file that appears complete or not at all, with mode 0600. Until Commit() it lies beside its
// place under another name, and goes with this object. Errors of every method: FAILED_PRECONDITION,
// naming the file.
class OutputFile {
 public:
  // `replace`: what is at `path` gives way at last; else nothing may be there.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path, bool replace);

  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile();

  absl::Status Write(absl::string_view bytes);

  // Makes it durable and gives it its name. Nothing can be written after it.
  absl::Status Commit();

 private:
  OutputFile(std::string path, std::string unfinished, int fd, bool replace)
      : path_(std::move(path)), unfinished_(std::move(unfinished)), fd_(fd), replace_(replace) {}

  const std::string path_;
  std::string unfinished_;  // Empty once it has its name.
  const int fd_;
  const bool replace_;
};

}  // namespace autopxe::ctl
