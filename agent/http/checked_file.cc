#include "agent/http/checked_file.h"

#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace autopxe::agent {
namespace {

class CheckedFiles {
 public:
  uint64_t Add(int fd, std::shared_ptr<const Content> content) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const uint64_t id = ++last_id_;
    files_.insert_or_assign(fd, File{id, std::move(content)});
    return id;
  }

  void Remove(int fd, uint64_t id) ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto found = files_.find(fd);
    if (found != files_.end() && found->second.id == id) files_.erase(found);
  }

  // Null if `fd` is none of them.
  std::shared_ptr<const Content> Find(int fd) const ABSL_LOCKS_EXCLUDED(mutex_) {
    absl::MutexLock lock(&mutex_);
    const auto found = files_.find(fd);
    return found == files_.end() ? nullptr : found->second.content;
  }

 private:
  struct File {
    uint64_t id;
    std::shared_ptr<const Content> content;
  };

  mutable absl::Mutex mutex_;
  uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<int, File> files_ ABSL_GUARDED_BY(mutex_);
};

// Of the process, as descriptors are. Never destroyed: a library may send until the end.
CheckedFiles& Files() {
  static auto* const files = new CheckedFiles;
  return *files;
}

}  // namespace

CheckedFile::CheckedFile(int fd, std::shared_ptr<const Content> content)
    : fd_(fd), id_(Files().Add(fd, std::move(content))) {}

CheckedFile::~CheckedFile() { Files().Remove(fd_, id_); }

}  // namespace autopxe::agent

extern "C" ssize_t sendfile64(int out_fd, int in_fd, off64_t* offset, size_t count) noexcept {
  const auto content = autopxe::agent::Files().Find(in_fd);
  if (content != nullptr && !content->CheckUnchanged().ok()) {
    errno = EBADF;
    return -1;
  }
  const ssize_t sent = syscall(SYS_sendfile, out_fd, in_fd, offset, count);
  // Too little comes of a full socket, or of a file that ends too early; libmicrohttpd waits for
  // the socket either way, for ever.
  if (content != nullptr && sent >= 0 && static_cast<size_t>(sent) < count &&
      !content->CheckUnchanged().ok()) {
    errno = EBADF;
    return -1;
  }
  return sent;
}
