#include "agent/view/view.h"

#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"

namespace autopxe::agent {

std::shared_ptr<const Snapshot> View::Current() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

void View::Set(std::shared_ptr<const Snapshot> snapshot) {
  {
    absl::MutexLock lock(&mutex_);
    snapshot_.swap(snapshot);
  }
  // The old snapshot may die here, outside the lock: freeing 100,000 hosts takes milliseconds.
}

}  // namespace autopxe::agent
