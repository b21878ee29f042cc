#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/types/optional.h"
#include "common/model/revision.h"
#include "common/model/snapshot.h"

namespace autopxe::server {

// The current configuration, the changes that led to it, and what each watcher gets next. A watcher
// is a cursor that is asked, not a queue that is filled: one that reads slowly costs nothing but
// its own delay, and gets a snapshot when what it has missed is no longer here. Safe to use from
// any thread.
class Feed {
 public:
  // The changes that lead from a revision to the newest one, oldest first; nothing if the revision
  // is unknown, has another tag or has been trimmed. May read the disk.
  using ChangesSince = std::function<absl::optional<std::vector<Change>>(RevisionId)>;

  // Whether a revision below the newest is, or may be, one of this database; nothing if that can't
  // be told now. Reads a row of the disk at most.
  using IsOfHistory = std::function<absl::optional<bool>(RevisionId)>;

  // What is kept in memory: both limits hold.
  struct Limits {
    size_t changes = 1024;
    size_t resources = 200'000;  // Hosts, groups and the like within those changes.
  };

  // Where a watcher is. Used by one thread at a time.
  class Cursor {
   public:
    // The revision that the watcher has, once it has applied all that Next returned; nothing before
    // the first snapshot.
    const absl::optional<RevisionId>& position() const { return position_; }

   private:
    friend class Feed;

    absl::optional<RevisionId> position_;
    std::deque<std::shared_ptr<const Change>> backlog_;  // From the tables; up to Limits::changes.
  };

  // Nothing yet (monostate), the next change, or the whole configuration instead of what the
  // watcher has.
  using Event =
      std::variant<std::monostate, std::shared_ptr<const Change>, std::shared_ptr<const Snapshot>>;

  // Ends the subscription when it is destroyed; a call that is under way is waited for.
  class Subscription {
   public:
    Subscription() = default;
    Subscription(Subscription&& other) noexcept { *this = std::move(other); }
    Subscription& operator=(Subscription&& other) noexcept;
    ~Subscription() { End(); }

    void End();

   private:
    friend class Feed;

    Feed* feed_ = nullptr;
    std::list<std::function<void()>>::iterator where_;
  };

  // Without `is_of_history` every revision that the ring does not reach is taken for one of this
  // database.
  Feed(std::shared_ptr<const Snapshot> current, ChangesSince changes_since, Limits limits,
       IsOfHistory is_of_history = nullptr);
  Feed(std::shared_ptr<const Snapshot> current, ChangesSince changes_since)
      : Feed(std::move(current), std::move(changes_since), Limits()) {}

  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // The writer's PublishFn: `change` leads from the current snapshot to `snapshot`. A null change,
  // or one that does not follow, says that the configuration was read anew from the disk: every
  // watcher gets a snapshot.
  void Publish(std::shared_ptr<const Change> change, std::shared_ptr<const Snapshot> snapshot)
      ABSL_LOCKS_EXCLUDED(mutex_, subscribers_mutex_);

  std::shared_ptr<const Snapshot> Current() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Where a watcher begins that has `position`, or nothing. Revision 0, one in the future, one with
  // another tag and one whose following changes are gone begin with a snapshot. May call
  // ChangesSince: not for a thread that must not wait.
  Cursor Resume(absl::optional<RevisionId> position) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Where a watcher is that is being sent the snapshot of `position`, whether or not changes lead
  // on from there.
  static Cursor At(const RevisionId& position);

  // Whether a watcher at `position` gets the changes that follow, or nothing, rather than a
  // snapshot. Never waits.
  bool LeadsOnFrom(const RevisionId& position) const ABSL_LOCKS_EXCLUDED(mutex_);

  // How many revisions `applied` is behind the current one; -1 if it is none of this server's: in
  // the future, or with another tag. Revision 0, which has nothing in it, is every server's. May
  // call IsOfHistory, once for a revision.
  int64_t Lag(const RevisionId& applied) const ABSL_LOCKS_EXCLUDED(mutex_);

  // What the watcher gets next; moves the cursor past it. Never waits.
  Event Next(Cursor& cursor) const ABSL_LOCKS_EXCLUDED(mutex_);

  // Calls `on_publish` after each Publish, in the publisher's thread: it only wakes somebody. It
  // must not publish, subscribe or end a subscription. The subscription must end before this object
  // does.
  Subscription Subscribe(std::function<void()> on_publish) ABSL_LOCKS_EXCLUDED(subscribers_mutex_);

 private:
  // The change in the ring that leads on from `position`, or null.
  std::shared_ptr<const Change> FindAfter(const RevisionId& position) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const ChangesSince changes_since_;
  const Limits limits_;
  const IsOfHistory is_of_history_;

  mutable absl::Mutex mutex_;
  std::shared_ptr<const Snapshot> current_ ABSL_GUARDED_BY(mutex_);
  // Each change follows the one before; the last one leads to current_.
  std::deque<std::shared_ptr<const Change>> ring_ ABSL_GUARDED_BY(mutex_);
  size_t ring_resources_ ABSL_GUARDED_BY(mutex_) = 0;
  // What IsOfHistory has answered: the past does not change. By number and tag.
  mutable std::map<std::pair<int64_t, uint64_t>, bool> looked_up_ ABSL_GUARDED_BY(mutex_);

  // Held while subscribers are called, so that End can wait for them.
  absl::Mutex subscribers_mutex_;
  std::list<std::function<void()>> subscribers_ ABSL_GUARDED_BY(subscribers_mutex_);
};

}  // namespace autopxe::server
