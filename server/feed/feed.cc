#include "server/feed/feed.h"

#include <utility>

namespace autopxe::server {
namespace {

// Agents of a thousand subnets stand at a few revisions; whoever reports invented ones costs a look
// at the disk for each.
constexpr size_t kMaxLookedUp = 4'096;

size_t Resources(const Change& change) {
  return change.hosts.size() + change.deleted_hosts.size() + change.profiles.size() +
         change.deleted_profiles.size() + change.groups.size() + change.deleted_groups.size() +
         change.declared_distros.size() + change.deleted_declared_distros.size() +
         change.agent_settings.size() + change.deleted_agent_settings.size() +
         (change.settings.has_value() ? 1 : 0);
}

}  // namespace

Feed::Subscription& Feed::Subscription::operator=(Subscription&& other) noexcept {
  End();
  feed_ = std::exchange(other.feed_, nullptr);
  where_ = other.where_;
  return *this;
}

void Feed::Subscription::End() {
  if (feed_ == nullptr) return;
  absl::MutexLock lock(&feed_->subscribers_mutex_);
  feed_->subscribers_.erase(where_);
  feed_ = nullptr;
}

Feed::Feed(std::shared_ptr<const Snapshot> current, ChangesSince changes_since, Limits limits,
           IsOfHistory is_of_history)
    : changes_since_(std::move(changes_since)),
      limits_(limits),
      is_of_history_(std::move(is_of_history)),
      current_(std::move(current)) {}

void Feed::Publish(std::shared_ptr<const Change> change, std::shared_ptr<const Snapshot> snapshot) {
  {
    absl::MutexLock lock(&mutex_);
    const bool follows = change != nullptr && change->base == current_->revision().id &&
                         change->revision.id == snapshot->revision().id;
    current_ = std::move(snapshot);
    if (follows) {
      ring_resources_ += Resources(*change);
      ring_.push_back(std::move(change));
      while (ring_.size() > limits_.changes || ring_resources_ > limits_.resources) {
        ring_resources_ -= Resources(*ring_.front());
        ring_.pop_front();
      }
    } else {
      ring_.clear();
      ring_resources_ = 0;
    }
  }
  absl::MutexLock lock(&subscribers_mutex_);
  for (const std::function<void()>& on_publish : subscribers_) on_publish();
}

std::shared_ptr<const Snapshot> Feed::Current() const {
  absl::MutexLock lock(&mutex_);
  return current_;
}

std::shared_ptr<const Change> Feed::FindAfter(const RevisionId& position) const {
  if (ring_.empty()) return nullptr;
  const int64_t index = position.number - ring_.front()->base.number;
  if (index < 0 || index >= static_cast<int64_t>(ring_.size())) return nullptr;
  const std::shared_ptr<const Change>& change = ring_[static_cast<size_t>(index)];
  return change->base == position ? change : nullptr;
}

Feed::Cursor Feed::Resume(absl::optional<RevisionId> position) const {
  Cursor cursor;
  if (!position.has_value() || position->number <= 0) return cursor;
  RevisionId newest;
  {
    absl::MutexLock lock(&mutex_);
    newest = current_->revision().id;
    if (*position == newest || FindAfter(*position) != nullptr) {
      cursor.position_ = position;
      return cursor;
    }
  }
  // Beyond the ring's length a snapshot is the shorter way, and memory stays bounded.
  if (position->number >= newest.number ||
      newest.number - position->number > static_cast<int64_t>(limits_.changes)) {
    return cursor;
  }
  absl::optional<std::vector<Change>> changes = changes_since_(*position);
  if (!changes.has_value()) return cursor;
  RevisionId reached = *position;
  for (Change& change : *changes) {
    // The tables may be ahead of what has been published; the ring brings the rest.
    if (change.revision.id.number > newest.number) break;
    if (change.base != reached) return Cursor();
    reached = change.revision.id;
    cursor.backlog_.push_back(std::make_shared<const Change>(std::move(change)));
  }
  if (reached != newest) return Cursor();
  cursor.position_ = position;
  return cursor;
}

Feed::Cursor Feed::At(const RevisionId& position) {
  Cursor cursor;
  cursor.position_ = position;
  return cursor;
}

bool Feed::LeadsOnFrom(const RevisionId& position) const {
  absl::MutexLock lock(&mutex_);
  return position == current_->revision().id || FindAfter(position) != nullptr;
}

int64_t Feed::Lag(const RevisionId& applied) const {
  const std::pair<int64_t, uint64_t> key(applied.number, applied.tag);
  int64_t lag;
  {
    absl::MutexLock lock(&mutex_);
    const RevisionId& current = current_->revision().id;
    if (applied == current) return 0;
    if (applied.number < 0 || applied.number >= current.number) return -1;
    lag = current.number - applied.number;
    if (applied == RevisionId()) return lag;
    if (!ring_.empty() && applied.number >= ring_.front()->base.number) {
      return FindAfter(applied) != nullptr ? lag : -1;
    }
    const auto known = looked_up_.find(key);
    if (known != looked_up_.end()) return known->second ? lag : -1;
  }
  if (is_of_history_ == nullptr) return lag;
  const absl::optional<bool> ours = is_of_history_(applied);
  if (!ours.has_value()) return lag;  // Asked again the next time.
  absl::MutexLock lock(&mutex_);
  if (looked_up_.size() >= kMaxLookedUp) looked_up_.clear();
  looked_up_[key] = *ours;
  return *ours ? lag : -1;
}

Feed::Event Feed::Next(Cursor& cursor) const {
  if (!cursor.backlog_.empty()) {
    std::shared_ptr<const Change> change = std::move(cursor.backlog_.front());
    cursor.backlog_.pop_front();
    cursor.position_ = change->revision.id;
    return change;
  }
  absl::MutexLock lock(&mutex_);
  if (cursor.position_.has_value()) {
    if (*cursor.position_ == current_->revision().id) return std::monostate();
    if (std::shared_ptr<const Change> change = FindAfter(*cursor.position_); change != nullptr) {
      cursor.position_ = change->revision.id;
      return change;
    }
  }
  cursor.position_ = current_->revision().id;
  return current_;
}

Feed::Subscription Feed::Subscribe(std::function<void()> on_publish) {
  absl::MutexLock lock(&subscribers_mutex_);
  Subscription subscription;
  subscription.feed_ = this;
  subscription.where_ = subscribers_.insert(subscribers_.end(), std::move(on_publish));
  return subscription;
}

}  // namespace autopxe::server
