#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/catalog/folder.h"
#include "agent/catalog/tree_changes.h"

struct inotify_event;

namespace autopxe::agent {

// Learns from the kernel (inotify(7)) which parts of the rootfs tree, of the loaders and of the
// folder of files have changed. It sees what this system does to them: on NFS, nothing that others
// do. Used by one thread at a time.
class TreeWatch {
 public:
  enum class Level { kRoot, kDistro, kRelease, kBoot, kLoaders, kFiles };

  // At most `max_watches`, one for each folder, beside the system's own limit. Errors:
  // RESOURCE_EXHAUSTED, naming the sysctl to raise, and the system's.
  static absl::StatusOr<std::unique_ptr<TreeWatch>> Open(
      size_t max_watches = std::numeric_limits<size_t>::max());

  TreeWatch(const TreeWatch&) = delete;
  TreeWatch& operator=(const TreeWatch&) = delete;
  ~TreeWatch();

  // Becomes readable when something has happened.
  int fd() const { return fd_; }

  // Watches a folder from now on, so that what changes after it is read is told of. `path` is below
  // the rootfs folder: "debian" at kDistro, "debian/bookworm" at kRelease and kBoot; at kFiles it
  // is below the folder of files.
  void Add(const Folder& folder, Level level, absl::string_view path);

  // What is not added between these two is watched no more: folders that were moved away.
  void BeginSweep();
  void EndSweep();

  // Whether a scan must look at folders that could not be watched: the limit has been reached since
  // the last sweep began.
  bool is_full() const { return is_full_; }
  size_t watch_count() const { return places_.size(); }

  // Takes what has happened, without waiting, and adds to `changes` where; instead of very many
  // names it asks for a scan of everything. True if a scan might find something new.
  bool Read(TreeChanges& changes);

 private:
  struct Place {
    Level level;
    std::string path;
    uint64_t sweep;  // The one that saw it last.
  };

  explicit TreeWatch(int fd, size_t max_watches) : fd_(fd), max_watches_(max_watches) {}

  bool Take(const inotify_event& event, absl::string_view name, TreeChanges& changes);

  const int fd_;
  const size_t max_watches_;
  // By inotify's number for the folder, of which the same one can stand in two places (by a bind
  // mount).
  absl::flat_hash_map<int, std::vector<Place>> places_;
  uint64_t sweep_ = 0;
  bool is_full_ = false;
};

}  // namespace autopxe::agent
