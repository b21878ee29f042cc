#include "agent/catalog/live_catalog.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "agent/catalog/scan.h"
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

LiveCatalog::LiveCatalog(std::string rootfs_folder, std::string loaders_folder)
    : rootfs_folder_(std::move(rootfs_folder)),
      loaders_folder_(std::move(loaders_folder)),
      catalog_(std::make_shared<const Catalog>()) {}

absl::Status LiveCatalog::Rescan() {
  absl::MutexLock one_scan(&scan_mutex_);
  const auto start = std::chrono::steady_clock::now();
  ASSIGN_OR_RETURN(Scan scan, ScanFolders(rootfs_folder_, loaders_folder_));
  const auto took = std::chrono::steady_clock::now() - start;

  for (size_t i = 0; i < std::min(scan.warnings.size(), kMaxWarnings); ++i) {
    LogLine("not-offered")
        .Add("path", scan.warnings[i].path)
        .Add("reason", scan.warnings[i].reason)
        .Warn();
  }
  LogLine("catalog")
      .Add("distros", scan.catalog.distros.size())
      .Add("releases", ReleaseCount(scan.catalog))
      .Add("kernels", scan.catalog.KernelCount())
      .Add("loaders", scan.catalog.loaders.size())
      .Add("not_offered", scan.warnings.size())
      .Add("duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count())
      .Info();

  std::shared_ptr<const Catalog> found = std::make_shared<const Catalog>(std::move(scan.catalog));
  absl::MutexLock lock(&mutex_);
  catalog_.swap(found);
  return absl::OkStatus();
}

std::shared_ptr<const Catalog> LiveCatalog::Current() const {
  absl::MutexLock lock(&mutex_);
  return catalog_;
}

}  // namespace autopxe::agent
