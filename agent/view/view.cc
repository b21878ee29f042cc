#include "agent/view/view.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/synchronization/mutex.h"

namespace autopxe::agent {

namespace {

bool HasNextBoot(const Snapshot& snapshot, const UsedNextBoot& used) {
  const std::shared_ptr<const Host> host = snapshot.FindHost(used.host);
  return host != nullptr && host->next.has_value() && host->next->token == used.token;
}

}  // namespace

std::shared_ptr<const Snapshot> View::Current() const {
  absl::MutexLock lock(&mutex_);
  return current_;
}

std::shared_ptr<const Snapshot> View::Received() const {
  absl::MutexLock lock(&mutex_);
  return received_;
}

void View::Set(std::shared_ptr<const Snapshot> snapshot) {
  std::shared_ptr<const Snapshot> current;
  {
    absl::MutexLock lock(&mutex_);
    used_.erase(
        std::remove_if(used_.begin(), used_.end(),
                       [&](const UsedNextBoot& used) { return !HasNextBoot(*snapshot, used); }),
        used_.end());
    current = WithoutNextBoots(snapshot, used_);
    received_.swap(snapshot);
    current_.swap(current);
  }
  // The old snapshots may die here, outside the lock: freeing 100,000 hosts takes milliseconds.
}

absl::optional<UsedNextBoot> View::UseNextBoot(const MacAddress& mac, int64_t token) {
  std::shared_ptr<const Snapshot> without;
  absl::MutexLock lock(&mutex_);
  if (current_ == nullptr) return absl::nullopt;
  const std::shared_ptr<const Host> host = current_->FindHost(mac);
  if (host == nullptr || !host->next.has_value() || host->next->token != token) {
    return absl::nullopt;
  }
  const UsedNextBoot used{.host = host->id, .token = token};
  used_.push_back(used);
  without = WithoutNextBoots(current_, {used});
  current_.swap(without);
  return used;
}

void View::NoteUsed(std::vector<UsedNextBoot> used) {
  absl::MutexLock lock(&mutex_);
  used_ = std::move(used);
}

void View::Confirm(absl::Duration when) {
  absl::MutexLock lock(&mutex_);
  confirmed_at_ = when;
}

absl::optional<absl::Duration> View::AgeAt(absl::Duration now) const {
  absl::MutexLock lock(&mutex_);
  if (received_ == nullptr || !confirmed_at_.has_value()) return absl::nullopt;
  return std::max(now - *confirmed_at_, absl::ZeroDuration());
}

}  // namespace autopxe::agent
