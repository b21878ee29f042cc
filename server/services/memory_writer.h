#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "common/model/snapshot.h"
#include "server/feed/feed.h"
#include "server/plan/plan.h"
#include "server/store/write_request.h"

namespace autopxe::server {

// For tests: the plan and the feed without a database. Each request is answered at once, in the
// caller's thread.
class MemoryWriter {
 public:
  MemoryWriter() : feed_(Snapshot::Empty(Revision()), [](RevisionId) { return absl::nullopt; }) {}
  explicit MemoryWriter(Feed::Limits limits, Feed::IsOfHistory is_of_history = nullptr)
      : feed_(
            Snapshot::Empty(Revision()), [](RevisionId) { return absl::nullopt; }, limits,
            std::move(is_of_history)) {}

  void Apply(WriteRequest request, const std::function<void(WriteOutcome)>& done) {
    absl::MutexLock lock(&mutex_);
    const std::shared_ptr<const Snapshot> snapshot = feed_.Current();
    auto planned =
        BuildPlan(*snapshot, catalogs_, request.batch, HostId{next_host_id_}, absl::Now());
    if (auto* refusal = std::get_if<Refusal>(&planned)) return done(std::move(*refusal));
    Plan& plan = std::get<Plan>(planned);
    WriteResult result;
    result.revision = snapshot->revision();
    result.differences = std::move(plan.differences);
    result.warnings = std::move(plan.warnings);
    if (!plan.change.empty() && !request.validate_only) {
      plan.change.revision.id.tag = 0x1000 + static_cast<uint64_t>(plan.change.revision.id.number);
      plan.change.revision.user = request.user;
      plan.change.revision.origin = request.origin;
      plan.change.revision.request_id = request.request_id;
      result.revision = plan.change.revision;
      next_host_id_ += static_cast<int64_t>(plan.change.hosts.size());
      auto change = std::make_shared<const Change>(std::move(plan.change));
      feed_.Publish(change, *autopxe::Apply(*snapshot, *change));
    }
    done(std::move(result));
  }

  Feed& feed() { return feed_; }

 private:
  Feed feed_;
  absl::Mutex mutex_;
  const Catalogs catalogs_;
  int64_t next_host_id_ ABSL_GUARDED_BY(mutex_) = 1;
};

}  // namespace autopxe::server
