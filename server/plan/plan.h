#pragma once

#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/model/mutation.h"
#include "common/model/snapshot.h"
#include "common/status/problem.h"
#include "server/plan/catalogs.h"
#include "server/plan/differences.h"

namespace autopxe::server {

// What an accepted batch does. The change has base and number set (base.number + 1); its tag, time,
// user, origin and request id are for the writer to fill. An empty change makes no revision.
struct Plan {
  Change change;
  std::vector<Difference> differences;  // In the order of Compare.
  std::vector<std::string> warnings;
};

// Why a batch is not accepted: every mutation that can't be made, not just the first.
struct Refusal {
  absl::StatusCode code;  // Of the first problem.
  std::string message;    // One line that says what to do next.
  std::vector<Problem> problems;
};

// Decides what `batch` does to `snapshot`, mutation after mutation, each seeing what those before
// it did. Pure. `next_host_id` is the id for the first host that it creates; the following ones
// count up; `now` is what terms are counted from.
std::variant<Plan, Refusal> BuildPlan(const Snapshot& snapshot, const Catalogs& catalogs,
                                      const Batch& batch, HostId next_host_id, absl::Time now);

}  // namespace autopxe::server
