#include "agent/catalog/catalog_watcher.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "common/runtime/log_line.h"

namespace autopxe::agent {
namespace {

// A file that was being written, or could not be read, is looked at again when it can have been
// quiet for long enough.
const absl::Duration kLookAgain = kQuiet + absl::Milliseconds(100);

// A folder that could not be read may be back soon, whatever the interval.
constexpr absl::Duration kTryAgain = absl::Seconds(5);

// The pauses are real ones, whatever clock judges files by.
absl::Duration Now() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

}  // namespace

CatalogWatcher::CatalogWatcher(const Options& options, LiveCatalog& catalog,
                               std::function<void()> changed)
    : gather_(options.gather),
      doubt_pause_(options.doubt_pause),
      catalog_(catalog),
      changed_(std::move(changed)),
      orders_{.interval = options.interval} {
  thread_ = std::thread([this] { Run(); });
}

CatalogWatcher::~CatalogWatcher() {
  {
    absl::MutexLock lock(&mutex_);
    orders_.stop = true;
  }
  wakeup_.Notify();
  thread_.join();
}

void CatalogWatcher::Rescan() {
  {
    absl::MutexLock lock(&mutex_);
    orders_.rescan = true;
  }
  wakeup_.Notify();
}

void CatalogWatcher::Doubt() {
  {
    absl::MutexLock lock(&mutex_);
    if (orders_.doubt) return;
    orders_.doubt = true;
  }
  wakeup_.Notify();
}

void CatalogWatcher::SetInterval(absl::Duration interval) {
  {
    absl::MutexLock lock(&mutex_);
    orders_.interval = interval;
  }
  wakeup_.Notify();
}

CatalogWatcher::Orders CatalogWatcher::TakeOrders() {
  absl::MutexLock lock(&mutex_);
  const Orders orders = orders_;
  orders_.rescan = false;
  orders_.doubt = false;
  return orders;
}

bool CatalogWatcher::Scan(const TreeChanges& changes, bool& is_settled) {
  const bool failed_before = !catalog_.LastError().ok();
  const absl::StatusOr<LiveCatalog::Outcome> outcome = catalog_.Rescan(changes);
  is_settled = true;
  if (!outcome.ok()) {
    // Once, not at every interval.
    if (!failed_before) {
      LogLine("catalog-kept").Add("reason", std::string(outcome.status().message())).Error();
      changed_();
    }
    return false;
  }
  if (failed_before) LogLine("catalog-readable").Info();
  is_settled = outcome->is_settled;
  if (outcome->is_changed || failed_before) changed_();
  return true;
}

void CatalogWatcher::Run() {
  absl::Duration last_full = Now();
  // Whoever made the catalog may have left files out that were being written.
  absl::Duration look_again = last_full + kLookAgain;
  absl::Duration gather_end = absl::InfiniteDuration();
  bool is_doubted = false;
  TreeChanges changes;
  while (true) {
    const Orders orders = TakeOrders();
    if (orders.stop) return;
    const absl::Duration now = Now();
    is_doubted |= orders.doubt;
    const absl::Duration pause =
        is_doubted ? std::min(doubt_pause_, orders.interval) : orders.interval;
    const absl::Duration next_full = last_full + pause;
    bool scan = now >= look_again;
    if (orders.rescan || now >= next_full) {
      is_doubted = false;
      changes.everything = true;
      scan = true;
    }
    if (scan || now >= gather_end) {
      // Every scan knows what the kernel has told: who writes what it finds.
      gather_end = absl::InfiniteDuration();
      scan |= catalog_.ReadChanges(changes);
    }
    if (scan) {
      bool is_settled;
      const bool full = changes.everything;
      // What could not be scanned now is with the next one.
      const bool is_scanned = Scan(changes, is_settled);
      if (is_scanned) changes = {};
      if (full) last_full = Now();
      look_again = absl::InfiniteDuration();
      if (!is_settled) look_again = Now() + kLookAgain;
      if (!is_scanned) look_again = Now() + kTryAgain;
      continue;
    }
    // While changes are gathered the kernel keeps them, and merges those that are the same.
    const bool is_gathering = gather_end != absl::InfiniteDuration();
    const absl::Duration next = std::min({next_full, look_again, gather_end});
    if (is_gathering) {
      wakeup_.WaitFor(next - now);
    } else if (wakeup_.WaitForReadable(catalog_.watch_fd(), next - now)) {
      gather_end = Now() + gather_;
    }
  }
}

}  // namespace autopxe::agent
