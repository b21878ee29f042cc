#pragma once

#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/catalog/live_catalog.h"
#include "common/runtime/wakeup.h"

namespace autopxe::agent {

// A thread that keeps the catalog as the tree is: scans when inotify tells of a change, after an
// interval (a tree on NFS has no inotify), when asked to, and once more when files were being
// written. Thread-safe.
class CatalogWatcher {
 public:
  struct Options {
    absl::Duration interval = absl::Minutes(1);
    // What happens for so long after the first change is seen by one scan: dpkg and rpm make many
    // at once.
    absl::Duration gather = absl::Milliseconds(200);
    // The least time between two scans of everything that Doubt orders.
    absl::Duration doubt_pause = absl::Seconds(5);
  };

  // `changed` is called on the thread when the catalog has become another one, and when scans begin
  // to fail or no longer do (LiveCatalog::LastError). `catalog` must outlive this object.
  CatalogWatcher(const Options& options, LiveCatalog& catalog, std::function<void()> changed);
  ~CatalogWatcher();

  // Scans everything soon. Returns at once.
  void Rescan();
  // The same when a file is found to differ from the catalog, which any number of hosts may find at
  // once: scans everything as soon as the last time is `doubt_pause` ago.
  void Doubt();
  // Counts from the last scan of everything.
  void SetInterval(absl::Duration interval);

 private:
  struct Orders {
    absl::Duration interval;
    bool rescan = false;
    bool doubt = false;
    bool stop = false;
  };

  void Run();
  // What has been ordered; forgets orders that are for once.
  Orders TakeOrders();
  // Scans; false if that failed.
  bool Scan(const TreeChanges& changes, bool& is_settled);

  const absl::Duration gather_;
  const absl::Duration doubt_pause_;
  LiveCatalog& catalog_;
  const std::function<void()> changed_;
  Wakeup wakeup_;
  absl::Mutex mutex_;
  Orders orders_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace autopxe::agent
