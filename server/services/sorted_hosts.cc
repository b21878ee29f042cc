#include "server/services/sorted_hosts.h"

namespace autopxe::server {

std::shared_ptr<const SortedHosts::Hosts> SortedHosts::Of(
    const std::shared_ptr<const Snapshot>& snapshot) {
  absl::MutexLock lock(&mutex_);
  if (snapshot_ != snapshot) {
    hosts_ = std::make_shared<const Hosts>(snapshot->HostsByName());
    snapshot_ = snapshot;
  }
  return hosts_;
}

}  // namespace autopxe::server
