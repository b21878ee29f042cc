#include "server/store/write_group.h"

#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"
#include "server/plan/plan.h"
#include "server/store/change_rows.h"
#include "server/store/revision_rows.h"

namespace autopxe::server {
namespace {

// Never 0, which stands for a server that was never changed.
uint64_t RandomTag() {
  uint64_t tag = 0;
  while (tag == 0) {
    // Up to 256 bytes come whole once the kernel has gathered enough at boot: there is no other
    // failure to survive.
    if (getrandom(&tag, sizeof(tag), 0) != sizeof(tag)) abort();
  }
  return tag;
}

Refusal RefuseRequestId(const std::string& request_id, const Revision& used_by) {
  Problem problem;
  problem.reason = Reason::kRequestIdReused;
  problem.field = "request_id";
  problem.value = request_id;
  problem.message = absl::StrCat("request id ", Quote(request_id),
                                 ": another request used it, which made revision ",
                                 used_by.id.number, "; choose a new one");
  return {.code = absl::StatusCode::kInvalidArgument,
          .message = problem.message,
          .problems = {problem}};
}

// What the plan accepted can't be: a fault of this program, which must not take the neighbours
// along.
absl::Status Contradiction(const absl::Status& status) {
  return absl::InternalError(absl::StrCat(
      "the plan contradicts the configuration, nothing was changed: ", status.message()));
}

}  // namespace

absl::StatusOr<absl::optional<WriteOutcome>> WriteGroup::FindReplay(const WriteRequest& request) {
  const absl::optional<WriteOutcome> none;
  if (request.request_id.empty()) return none;
  ASSIGN_OR_RETURN(const absl::optional<UsedRequestId> used,
                   FindRequestId(database_, request.request_id));
  if (!used) return none;
  if (used->request_digest != request.request_digest) {
    return absl::optional<WriteOutcome>(RefuseRequestId(request.request_id, used->revision));
  }
  return absl::optional<WriteOutcome>(
      WriteResult{.revision = used->revision, .differences = {}, .warnings = {}, .replayed = true});
}

absl::Status WriteGroup::Write(const Change& change, const WriteRequest& request) {
  if (!transaction_) {
    ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(database_));
    transaction_.emplace(std::move(transaction));
  }
  ASSIGN_OR_RETURN(Savepoint savepoint, Savepoint::Begin(database_));
  absl::Status written = WriteChange(database_, *snapshot_, change, request.request_digest);
  if (written.ok()) return savepoint.Keep();
  RETURN_IF_ERROR(savepoint.RollBack());
  return written;
}

absl::StatusOr<WriteOutcome> WriteGroup::Take(const WriteRequest& request) {
  if (!request.validate_only) {
    ASSIGN_OR_RETURN(absl::optional<WriteOutcome> replay, FindReplay(request));
    if (replay) return *std::move(replay);
  }
  std::variant<Plan, Refusal> planned =
      BuildPlan(*snapshot_, catalogs_, request.batch, next_host_id_, time_);
  if (Refusal* refusal = std::get_if<Refusal>(&planned)) return WriteOutcome(std::move(*refusal));
  Plan& plan = std::get<Plan>(planned);
  WriteResult result{.revision = snapshot_->revision(),
                     .differences = std::move(plan.differences),
                     .warnings = std::move(plan.warnings),
                     .replayed = false};
  if (request.validate_only || plan.change.empty()) return WriteOutcome(std::move(result));

  Revision& revision = plan.change.revision;
  revision.id.tag = RandomTag();
  revision.time = time_;
  revision.user = request.user;
  revision.origin = request.origin;
  revision.request_id = request.request_id;
  absl::StatusOr<std::shared_ptr<const Snapshot>> next = autopxe::Apply(*snapshot_, plan.change);
  if (!next.ok()) return WriteOutcome(Contradiction(next.status()));
  const absl::Status written = Write(plan.change, request);
  if (written.code() == absl::StatusCode::kAlreadyExists)
    return WriteOutcome(Contradiction(written));
  RETURN_IF_ERROR(written);

  for (const auto& host : plan.change.hosts) {
    next_host_id_ = std::max(next_host_id_, HostId{static_cast<int64_t>(host->id) + 1});
  }
  snapshot_ = *std::move(next);
  result.revision = revision;
  steps_.push_back({std::make_shared<const Change>(std::move(plan.change)), snapshot_});
  return WriteOutcome(std::move(result));
}

absl::Status WriteGroup::Commit() {
  if (!transaction_) return absl::OkStatus();
  return transaction_->Commit();
}

}  // namespace autopxe::server
