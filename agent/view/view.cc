#include "agent/view/view.h"

#include <algorithm>
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

void View::Confirm(absl::Duration when) {
  absl::MutexLock lock(&mutex_);
  confirmed_at_ = when;
}

absl::optional<absl::Duration> View::AgeAt(absl::Duration now) const {
  absl::MutexLock lock(&mutex_);
  if (snapshot_ == nullptr || !confirmed_at_.has_value()) return absl::nullopt;
  return std::max(now - *confirmed_at_, absl::ZeroDuration());
}

}  // namespace autopxe::agent
