#pragma once

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "boot/agent_context.h"
#include "boot/boot.h"
#include "common/model/catalog.h"
#include "common/model/snapshot.h"

namespace autopxe::agent {

// The part of a menu that all hosts of this agent have alike, rendered once for each change of what
// it is made of, and not for each request. An assignment is no such change. Thread-safe.
class MenuCache {
 public:
  explicit MenuCache(AgentContext agent);
  MenuCache(const MenuCache&) = delete;
  MenuCache& operator=(const MenuCache&) = delete;

  // RenderSharedMenu of these, and the same object as before if they say the same; never null. Who
  // comes while it is rendered waits: the one before would not have what was decided by what is
  // current, and to render it twice takes longer.
  std::shared_ptr<const SharedMenu> Current(const Snapshot& snapshot,
                                            const std::shared_ptr<const Catalog>& catalog)
      ABSL_LOCKS_EXCLUDED(render_mutex_, mutex_);

 private:
  // The menu if it is of these, or null.
  std::shared_ptr<const SharedMenu> Find(const Snapshot& snapshot,
                                         const std::shared_ptr<const Catalog>& catalog) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  const AgentContext agent_;
  absl::Mutex render_mutex_ ABSL_ACQUIRED_BEFORE(mutex_);  // One rendering at a time.
  // Never held while a menu is rendered: who asks for the last one does not wait for another's.
  mutable absl::Mutex mutex_;
  Snapshot::Common common_ ABSL_GUARDED_BY(mutex_);  // Of what `menu_` was made, and `catalog_`.
  std::shared_ptr<const Catalog> catalog_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<const SharedMenu> menu_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::agent
