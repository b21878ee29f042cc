#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/revision.h"

namespace autopxe::server {

// A copy of the whole database on its way to somewhere else: a file without a name, which is gone
// with this object. To be used by one thread at a time.
class BackupFile {
 public:
  // Takes over the copy at `path` and removes its name. Reads all of it to see whether it is whole.
  // Errors: DATA_LOSS: it is not, so the database is damaged, or the disk. UNAVAILABLE: it can't be
  // read.
  static absl::StatusOr<std::unique_ptr<BackupFile>> Open(const std::string& path);

  BackupFile(const BackupFile&) = delete;
  BackupFile& operator=(const BackupFile&) = delete;
  ~BackupFile();

  // The revision that it holds.
  const RevisionId& revision() const { return revision_; }
  int64_t size() const { return size_; }

  // Its next bytes, up to `at_most`; none at its end. Errors: UNAVAILABLE.
  absl::StatusOr<std::string> Read(size_t at_most);

 private:
  explicit BackupFile(int fd) : fd_(fd) {}

  const int fd_;
  RevisionId revision_;
  int64_t size_ = 0;
  int64_t offset_ = 0;
};

}  // namespace autopxe::server
