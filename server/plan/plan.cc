#include "server/plan/plan.h"

#include "server/plan/planner.h"

namespace autopxe::server {

std::variant<Plan, Refusal> BuildPlan(const Snapshot& snapshot, const Catalogs& catalogs,
                                      const Batch& batch, HostId next_host_id, absl::Time now) {
  return Planner(snapshot, catalogs, next_host_id, now).Build(batch);
}

}  // namespace autopxe::server
