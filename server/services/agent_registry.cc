#include "server/services/agent_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"

namespace autopxe::server {

AgentRegistry::Entry AgentRegistry::EntryOf(const AgentId& id, const Agent& agent) {
  return {.id = id,
          .status = agent.status,
          .reported_at = agent.reported_at,
          .last_seen = agent.last_seen,
          .watches = static_cast<int>(agent.watches.size()),
          .catalog_at = agent.catalog_at};
}

void AgentRegistry::Restore(const AgentId& id, absl::optional<AgentStatus> status,
                            absl::Time last_seen) {
  absl::MutexLock lock(&mutex_);
  Agent& agent = agents_[id];
  agent.status = std::move(status);
  agent.reported_at = last_seen;
  agent.last_seen = last_seen;
}

bool AgentRegistry::WatchBegan(const AgentId& id, const AgentInstance& instance) {
  absl::MutexLock lock(&mutex_);
  Agent& agent = agents_[id];
  agent.last_seen = clock_.Now();
  ++agent.watches[instance];
  return agent.watches.size() > 1;
}

void AgentRegistry::WatchEnded(const AgentId& id, const AgentInstance& instance) {
  absl::MutexLock lock(&mutex_);
  Agent& agent = agents_[id];
  const auto watch = agent.watches.find(instance);
  if (watch != agent.watches.end() && --watch->second == 0) agent.watches.erase(watch);
}

void AgentRegistry::Seen(const AgentId& id) {
  absl::MutexLock lock(&mutex_);
  agents_[id].last_seen = clock_.Now();
}

void AgentRegistry::CatalogReported(const AgentId& id,
                                    const absl::optional<AgentInstance>& instance) {
  absl::MutexLock lock(&mutex_);
  Agent& agent = agents_[id];
  agent.last_seen = clock_.Now();
  agent.catalog_at = agent.last_seen;
  agent.catalog_of = instance;
}

bool AgentRegistry::WantsCatalog(const Agent& agent, const AgentInstance& instance) {
  if (!agent.catalog_of.has_value()) return true;
  return *agent.catalog_of != instance && agent.watches.count(*agent.catalog_of) == 0;
}

AgentRegistry::Answer AgentRegistry::Report(const AgentId& id, const AgentStatus& status) {
  absl::MutexLock lock(&mutex_);
  Agent& agent = agents_[id];
  agent.last_seen = clock_.Now();
  agent.reported_at = agent.last_seen;
  agent.status = status;
  return {.watches = static_cast<int>(agent.watches.size()),
          .catalog_wanted = WantsCatalog(agent, status.instance)};
}

absl::Status AgentRegistry::Remove(const AgentId& id) {
  absl::MutexLock lock(&mutex_);
  const auto agent = agents_.find(id);
  if (agent == agents_.end()) {
    return absl::NotFoundError(absl::StrCat("agent ", Quote(id.text()), ": never heard of"));
  }
  if (!agent->second.watches.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat("agent ", Quote(id.text()), ": it is connected; stop it first"));
  }
  agents_.erase(agent);
  return absl::OkStatus();
}

absl::optional<AgentRegistry::Entry> AgentRegistry::Find(const AgentId& id) const {
  absl::MutexLock lock(&mutex_);
  const auto agent = agents_.find(id);
  if (agent == agents_.end()) return absl::nullopt;
  return EntryOf(id, agent->second);
}

std::vector<AgentRegistry::Entry> AgentRegistry::List(absl::string_view after, size_t count) const {
  std::vector<Entry> entries;
  absl::MutexLock lock(&mutex_);
  for (const auto& [id, agent] : agents_) {
    if (absl::string_view(id.text()) <= after) continue;
    if (entries.size() == count) break;
    entries.push_back(EntryOf(id, agent));
  }
  return entries;
}

}  // namespace autopxe::server
