#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"

namespace autopxe::agent {

// What this agent can't do at the moment and an administrator should know, each part of it told by
// whoever finds it. The reporter tells the server. Thread-safe.
class Problems {
 public:
  // What has failed; the gravest first. One sentence for each.
  enum class Kind {
    kServerEmpty,           // The server has no configuration at all, and this agent keeps its own.
    kConfigurationRefused,  // What the server sends can't be used.
    kJournalNotWritten,     // Used next boots can't be written to disk.
    kJournalFull,           // More of them than can be kept wait for the server.
    kFolderUnreadable,      // The rootfs tree or the loaders can't be scanned.
    kCatalogRefused,        // The server does not take the catalog.
    kSnapshotNotSaved,      // The configuration can't be written to disk.
    kSnapshotUnreadable,    // The snapshot file was damaged. Holds until the next start.
    kJournalDamaged,        // The journal was damaged. The same.
  };

  // `sentence` says what is wrong and what to do: what is not printable ASCII is escaped in it, and
  // what is too long for a report is cut off. Replaces the one of the same kind.
  void Set(Kind kind, absl::string_view sentence) ABSL_LOCKS_EXCLUDED(mutex_);

  // It is over, if it was there.
  void Clear(Kind kind) ABSL_LOCKS_EXCLUDED(mutex_);

  // The gravest first; empty when all is well.
  std::vector<std::string> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls `on_change` after each change, in the thread that made it: it only wakes somebody. A null
  // one ends that; a call that is under way is waited for.
  void OnChange(std::function<void()> on_change) ABSL_LOCKS_EXCLUDED(listener_mutex_);

 private:
  void Tell() ABSL_LOCKS_EXCLUDED(listener_mutex_);

  mutable absl::Mutex mutex_;
  std::map<Kind, std::string> sentences_ ABSL_GUARDED_BY(mutex_);
  absl::Mutex listener_mutex_;  // Held while it is called.
  std::function<void()> on_change_ ABSL_GUARDED_BY(listener_mutex_);
};

}  // namespace autopxe::agent
