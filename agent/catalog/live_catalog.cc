#include "agent/catalog/live_catalog.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "common/model/kernel_move.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// A tree of thousands of releases, all of them broken, must not flood the log.
constexpr size_t kMaxWarnings = 100;

size_t ReleaseCount(const Catalog& catalog) {
  size_t count = 0;
  for (const CatalogDistro& distro : catalog.distros) count += distro.releases.size();
  return count;
}

}  // namespace

LiveCatalog::LiveCatalog(CatalogFolders folders, std::unique_ptr<TreeWatch> watch,
                         const Clock* clock)
    : clock_(clock != nullptr ? *clock : system_clock_),
      watch_(std::move(watch)),
      scanner_(std::move(folders), watch_.get()),
      catalog_(std::make_shared<const Catalog>()) {}

absl::Status LiveCatalog::Rescan() {
  TreeChanges changes;
  changes.everything = true;
  return Rescan(changes).status();
}

absl::StatusOr<LiveCatalog::Outcome> LiveCatalog::Rescan(const TreeChanges& changes) {
  absl::MutexLock one_scan(&scan_mutex_);
  const auto start = std::chrono::steady_clock::now();
  absl::StatusOr<Scan> scan =
      scanner_.Run(changes, {.wall = clock_.Now(), .monotonic = clock_.Monotonic()});
  const auto took = absl::FromChrono(std::chrono::steady_clock::now() - start);
  const std::shared_ptr<const Catalog> before = Current();
  if (scan.ok()) LogScan(*scan, *before, took);
  LogWatch();

  absl::MutexLock lock(&mutex_);
  error_ = scan.status();
  RETURN_IF_ERROR(error_);
  Outcome outcome{.is_changed = scan->catalog != *before, .is_settled = scan->is_settled};
  if (outcome.is_changed) {
    catalog_ = std::make_shared<const Catalog>(std::move(scan->catalog));
  }
  return outcome;
}

void LiveCatalog::LogScan(const Scan& scan, const Catalog& before, absl::Duration took) {
  std::vector<ScanWarning> sorted = scan.warnings;
  std::sort(sorted.begin(), sorted.end());
  size_t warned = 0;
  for (const ScanWarning& warning : scan.warnings) {
    if (std::binary_search(warnings_.begin(), warnings_.end(), warning)) continue;
    if (++warned > kMaxWarnings) break;
    LogLine(warning.is_kept ? "offer-kept" : "not-offered")
        .Add("path", warning.path)
        .Add("reason", warning.reason)
        .Warn();
  }
  warnings_ = std::move(sorted);

  const std::vector<KernelMove> moves = FindKernelMoves(before, scan.catalog);
  for (size_t i = 0; i < std::min(moves.size(), kMaxWarnings); ++i) {
    LogLine("kernel-moved")
        .Add("kernel", moves[i].Format())
        .Add("from", moves[i].version_before)
        .Add("to", moves[i].version_after)
        .Info();
  }

  if (is_summed_up_ && scan.catalog == before && warned == 0) return;
  is_summed_up_ = true;
  LogLine("catalog")
      .Add("distros", scan.catalog.distros.size())
      .Add("releases", ReleaseCount(scan.catalog))
      .Add("kernels", scan.catalog.KernelCount())
      .Add("loaders", scan.catalog.loaders.size())
      .Add("files", scan.catalog.files.size())
      .Add("not_offered", std::count_if(scan.warnings.begin(), scan.warnings.end(),
                                        [](const ScanWarning& w) { return !w.is_kept; }))
      .Add("duration_ms", absl::ToInt64Milliseconds(took))
      .Info();
}

void LiveCatalog::LogWatch() {
  const bool is_full = watch_ != nullptr && watch_->is_full();
  if (is_full && !is_watch_full_) {
    LogLine("catalog-watch-full")
        .Add("watches", watch_->watch_count())
        .Add("consequence", "changes in the other folders show at the next rescan only")
        .Add("remedy", "raise the sysctl fs.inotify.max_user_watches")
        .Warn();
  }
  is_watch_full_ = is_full;
}

bool LiveCatalog::ReadChanges(TreeChanges& changes) {
  if (watch_ == nullptr) return false;
  absl::MutexLock one_scan(&scan_mutex_);
  return watch_->Read(changes);
}

std::shared_ptr<const Catalog> LiveCatalog::Current() const {
  absl::MutexLock lock(&mutex_);
  return catalog_;
}

absl::Status LiveCatalog::LastError() const {
  absl::MutexLock lock(&mutex_);
  return error_;
}

}  // namespace autopxe::agent
