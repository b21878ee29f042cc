#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/agent_status.h"
#include "common/model/name.h"
#include "common/runtime/clock.h"

namespace autopxe::server {

// Every agent that has ever been heard of, and which of them watch now. Safe to use from any
// thread.
class AgentRegistry {
 public:
  struct Entry {
    AgentId id;
    absl::optional<AgentStatus> status;  // What it reported last.
    absl::Time reported_at;              // When that came.
    absl::Time last_seen;
    // How many instances watch under this id: above 1, two agents were given one. An instance that
    // came back before its lost connection was noticed counts once.
    int watches = 0;
    // When it last told what it offers; unset: not since this process started.
    absl::optional<absl::Time> catalog_at = absl::nullopt;
  };

  // What an agent that reports a status is to know.
  struct Answer {
    int watches = 0;  // See Entry::watches.
    // The catalog under this id is another instance's that does not watch, or nobody knows whose.
    // While both watch, the one that was reported last stays: otherwise two agents under one id
    // would replace each other's with every status.
    bool catalog_wanted = false;
  };

  // `clock` outlives this object.
  explicit AgentRegistry(const Clock& clock) : clock_(clock) {}

  // What was known before this process started.
  void Restore(const AgentId& id, absl::optional<AgentStatus> status, absl::Time last_seen);

  // A watch began; true if another instance watches under this id already. Each is ended by
  // WatchEnded.
  bool WatchBegan(const AgentId& id, const AgentInstance& instance);
  void WatchEnded(const AgentId& id, const AgentInstance& instance);

  // Something else than a status or a catalog was heard of it.
  void Seen(const AgentId& id);

  // It has told what it offers. An agent of an earlier version does not say which instance it is.
  void CatalogReported(const AgentId& id, const absl::optional<AgentInstance>& instance);

  // Takes a status.
  Answer Report(const AgentId& id, const AgentStatus& status);

  // Forgets an agent. Errors: NOT_FOUND: nothing was ever heard of it; FAILED_PRECONDITION: it
  // watches.
  absl::Status Remove(const AgentId& id);

  // One, if it was ever heard of.
  absl::optional<Entry> Find(const AgentId& id) const;

  // Up to `count` agents whose ids are above `after`, ascending.
  std::vector<Entry> List(absl::string_view after, size_t count) const;

 private:
  struct Agent {
    absl::optional<AgentStatus> status;
    absl::Time reported_at = absl::InfinitePast();
    absl::Time last_seen = absl::InfinitePast();
    std::map<AgentInstance, int> watches;
    absl::optional<absl::Time> catalog_at;
    absl::optional<AgentInstance> catalog_of;  // Who told it; unset: not known.
  };

  static bool WantsCatalog(const Agent& agent, const AgentInstance& instance);

  static Entry EntryOf(const AgentId& id, const Agent& agent);

  const Clock& clock_;
  mutable absl::Mutex mutex_;
  std::map<AgentId, Agent> agents_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace autopxe::server
