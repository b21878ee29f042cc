#include "agent/catalog/tree_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/catalog/kernel_version.h"

namespace autopxe::agent {
namespace {

// IN_MODIFY: a kernel that is being written, in place even, is not offered. IN_ATTRIB: one that
// becomes readable is.
constexpr uint32_t kEvents = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY |
                             IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;

// What is named is kept until a scan succeeds. More than so many names at once are no longer worth
// it.
constexpr size_t kMaxNamed = 100'000;

// What `mask` tells of the writer of `file`.
void NoteWriter(uint32_t mask, const std::string& file, absl::flat_hash_set<std::string>& closed,
                absl::flat_hash_set<std::string>& written) {
  if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0) {
    closed.insert(file);
    written.erase(file);
  } else if ((mask & IN_MODIFY) != 0) {
    closed.erase(file);
    written.insert(file);
  } else if ((mask & (IN_CREATE | IN_DELETE | IN_MOVED_FROM)) != 0) {
    // Another file from now on, or none. A new one has a writer only once it is written to: a hard
    // link has none, and nobody would close it.
    closed.erase(file);
    written.erase(file);
  }
}

// The links of Debian and Ubuntu.
bool IsDefaultLink(absl::string_view name) { return name == "vmlinuz" || name == "initrd.img"; }

}  // namespace

absl::StatusOr<std::unique_ptr<TreeWatch>> TreeWatch::Open(size_t max_watches) {
  const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (fd < 0 && errno == EMFILE) {
    return absl::ResourceExhaustedError(
        "this user has all the inotify instances that it may have; raise the sysctl "
        "fs.inotify.max_user_instances");
  }
  if (fd < 0) return absl::ErrnoToStatus(errno, "inotify");
  return std::unique_ptr<TreeWatch>(new TreeWatch(fd, max_watches));
}

TreeWatch::~TreeWatch() { close(fd_); }

void TreeWatch::Add(const Folder& folder, Level level, absl::string_view path) {
  // Each further attempt would fail too, and cost its time.
  if (is_full_) return;
  const int number =
      inotify_add_watch(fd_, folder.ProcPath().c_str(), kEvents | IN_ONLYDIR | IN_EXCL_UNLINK);
  if (number < 0) {
    // ENOSPC: the limit of the user. Anything else (ENOMEM) has the same consequence.
    is_full_ = true;
    return;
  }
  if (places_.size() >= max_watches_ && !places_.contains(number)) {
    inotify_rm_watch(fd_, number);
    is_full_ = true;
    return;
  }
  std::vector<Place>& places = places_[number];
  const auto known = std::find_if(places.begin(), places.end(), [&](const Place& place) {
    return place.level == level && place.path == path;
  });
  if (known != places.end()) {
    known->sweep = sweep_;
  } else {
    places.push_back({level, std::string(path), sweep_});
  }
}

void TreeWatch::BeginSweep() {
  ++sweep_;
  is_full_ = false;
}

void TreeWatch::EndSweep() {
  // One that ended early has not seen everything.
  if (is_full_) return;
  std::vector<int> gone;
  for (auto& [number, places] : places_) {
    places.erase(std::remove_if(places.begin(), places.end(),
                                [&](const Place& place) { return place.sweep != sweep_; }),
                 places.end());
    if (places.empty()) gone.push_back(number);
  }
  for (const int number : gone) {
    inotify_rm_watch(fd_, number);
    places_.erase(number);
  }
}

bool TreeWatch::Read(TreeChanges& changes) {
  bool matters = false;
  alignas(inotify_event) char buffer[64 << 10];
  while (true) {
    const ssize_t size = read(fd_, buffer, sizeof buffer);
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return matters;
    for (ssize_t at = 0; at < size;) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      // Padded with NULs.
      const char* name = buffer + at + sizeof event;
      matters |= Take(event, absl::string_view(name, event.len == 0 ? 0 : strnlen(name, event.len)),
                      changes);
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
    if (changes.releases.size() + changes.closed.size() + changes.written.size() +
            changes.closed_files.size() + changes.written_files.size() >
        kMaxNamed) {
      // What is left of the files is how long they have been quiet.
      changes = {};
      changes.everything = true;
    }
  }
}

bool TreeWatch::Take(const inotify_event& event, absl::string_view name, TreeChanges& changes) {
  if ((event.mask & IN_Q_OVERFLOW) != 0) {
    changes.everything = true;
    // What was closed may have been opened again in what was lost.
    changes.closed.clear();
    changes.closed_files.clear();
    return true;
  }
  const auto found = places_.find(event.wd);
  if (found == places_.end()) return false;  // Of a watch that has been ended.
  const std::vector<Place> places = found->second;
  if ((event.mask & IN_IGNORED) != 0) {
    places_.erase(found);
    return false;  // What ended it (IN_DELETE_SELF, IN_UNMOUNT) has been told of before.
  }
  bool matters = false;
  for (const Place& place : places) {
    if (name.empty() || (event.mask & IN_UNMOUNT) != 0) {
      // Of the folder itself: deleted, moved, made readable. Those below the root are named in
      // what is above them, too.
      if (place.level == Level::kRoot || place.level == Level::kDistro) {
        changes.everything = true;
      } else if (place.level == Level::kFiles) {
        changes.files = true;
      } else if (!place.path.empty()) {
        changes.releases.insert(place.path);
      }
      matters = true;
      continue;
    }
    switch (place.level) {
      case Level::kRoot:
        // A distro that takes the place of another can have releases of the same names.
        changes.everything = true;
        matters = true;
        break;
      case Level::kLoaders:
        matters = true;
        break;
      case Level::kDistro:
        changes.releases.insert(absl::StrCat(place.path, "/", name));
        matters = true;
        break;
      case Level::kRelease:
        if (name != "boot" && !IsDefaultLink(name)) break;
        changes.releases.insert(place.path);
        matters = true;
        break;
      case Level::kBoot: {
        if (!IsDefaultLink(name) && !ParseBootFileName(name).has_value()) break;
        changes.releases.insert(place.path);
        NoteWriter(event.mask, absl::StrCat(place.path, "/boot/", name), changes.closed,
                   changes.written);
        matters = true;
        break;
      }
      case Level::kFiles:
        if (IsHidden(name)) break;
        changes.files = true;
        NoteWriter(event.mask,
                   place.path.empty() ? std::string(name) : absl::StrCat(place.path, "/", name),
                   changes.closed_files, changes.written_files);
        matters = true;
        break;
    }
  }
  return matters;
}

}  // namespace autopxe::agent
