#include "agent/content/menu_cache.h"

#include <utility>

namespace autopxe::agent {

MenuCache::MenuCache(AgentContext agent) : agent_(std::move(agent)) {}

std::shared_ptr<const SharedMenu> MenuCache::Current(
    const Snapshot& snapshot, const std::shared_ptr<const Catalog>& catalog) {
  if (std::shared_ptr<const SharedMenu> menu = Find(snapshot, catalog)) return menu;
  absl::MutexLock rendering(&render_mutex_);
  // Somebody else may have rendered it meanwhile.
  if (std::shared_ptr<const SharedMenu> menu = Find(snapshot, catalog)) return menu;
  auto menu = std::make_shared<const SharedMenu>(RenderSharedMenu(snapshot, *catalog, agent_));
  Snapshot::Common common(snapshot);
  std::shared_ptr<const Catalog> of = catalog;
  std::shared_ptr<const SharedMenu> last = menu;
  {
    absl::MutexLock lock(&mutex_);
    std::swap(common_, common);
    catalog_.swap(of);
    menu_.swap(last);
  }
  // What was there before may die here, outside the lock.
  return menu;
}

std::shared_ptr<const SharedMenu> MenuCache::Find(
    const Snapshot& snapshot, const std::shared_ptr<const Catalog>& catalog) const {
  absl::ReaderMutexLock lock(&mutex_);
  return menu_ != nullptr && catalog_ == catalog && common_.IsOf(snapshot) ? menu_ : nullptr;
}

}  // namespace autopxe::agent
