#include "server/store/writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "server/store/caller_status.h"
#include "server/store/revision_rows.h"
#include "server/store/store.h"
#include "server/store/write_group.h"

namespace autopxe::server {
namespace {

// A mutex that the caller holds, for a condition variable to give back and take again. To clang's
// analysis it is held throughout, as at absl's own waits.
class HeldMutex {
 public:
  explicit HeldMutex(absl::Mutex& mutex) : mutex_(mutex) {}
  void lock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Lock(); }
  void unlock() ABSL_NO_THREAD_SAFETY_ANALYSIS { mutex_.Unlock(); }

 private:
  absl::Mutex& mutex_;
};

// What the database holds of a time: whole microseconds.
absl::Time AsStored(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

constexpr char kNothingChanged[] = "nothing was changed, try again";
constexpr char kUnknown[] =
    "whether it was changed is unknown until the database can be written again, try again with the "
    "same request id";

}  // namespace

Writer::Writer(Store* store, std::function<absl::Time()> now, PublishFn publish, FailureFn failed,
               Config config)
    : store_(store),
      now_(std::move(now)),
      publish_(std::move(publish)),
      failed_(std::move(failed)),
      config_(config),
      upkeep_(store, now_, config.upkeep) {
  Store::Content content = store_->TakeContent();
  next_host_id_ = content.next_host_id;
  snapshot_ = std::move(content.snapshot);
  reports_ = std::move(content.agents);
  catalogs_ = CatalogsOf(reports_);
  next_boot_uses_ = NextBootUses(std::move(content.next_boot_uses));
  written_use_ = next_boot_uses_.last_id();
  for (const auto& [id, report] : reports_) saved_seen_[id] = report.last_seen;
  if (!content.kernel_moves.empty()) written_move_ = content.kernel_moves.back().id;
  moves_ = std::make_shared<const RecordedMoves>(std::move(content.kernel_moves));
  thread_ = std::thread([this] { Run(); });
}

Writer::~Writer() { Stop(); }

void Writer::Apply(WriteRequest request, std::function<void(WriteOutcome)> done) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    const size_t mutations = request.batch.mutations.size();
    if (stopping_) {
      refusal = Stopping();
    } else if (!queue_.empty() && (queue_.size() >= config_.max_requests ||
                                   queued_mutations_ + mutations > config_.max_mutations)) {
      refusal = absl::ResourceExhaustedError(
          absl::StrCat(queue_.size(), " requests are waiting to be written; ", kNothingChanged));
    } else {
      queued_mutations_ += mutations;
      reports_ready_ = !unsaved_.empty();
      queue_.push_back({std::move(request), std::move(done)});
      work_came_.notify_one();
    }
  }
  if (!refusal.ok()) done(std::move(refusal));
}

std::shared_ptr<const Snapshot> Writer::CurrentSnapshot() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

std::shared_ptr<const Catalogs> Writer::CurrentCatalogs() const {
  absl::MutexLock lock(&mutex_);
  return catalogs_;
}

std::shared_ptr<const RecordedMoves> Writer::CurrentKernelMoves() const {
  absl::MutexLock lock(&mutex_);
  return moves_;
}

AgentReports Writer::CurrentAgentReports() const {
  absl::MutexLock lock(&mutex_);
  return reports_;
}

void Writer::KeepHistory(absl::Duration keep, Upkeep::TrimmedFn trimmed) {
  absl::MutexLock lock(&mutex_);
  upkeep_.KeepHistory(keep, std::move(trimmed));
  upkeep_due_ = true;
  work_came_.notify_one();
}

void Writer::BackUp(std::function<void(absl::Status)> done) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    refusal = stopping_ ? Stopping() : upkeep_.BackUp(done);
    if (refusal.ok()) {
      upkeep_due_ = true;
      work_came_.notify_one();
    }
  }
  if (!refusal.ok()) done(std::move(refusal));
}

bool Writer::HasWork() const { return !queue_.empty() || reports_ready_ || upkeep_due_; }

void Writer::WaitUntilIdle() {
  const auto idle = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !busy_ && !HasWork(); };
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&idle));
}

void Writer::Stop() {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    reports_ready_ = !unsaved_.empty();
    work_came_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Writer::AwaitWork() {
  const auto awake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || HasWork(); };
  HeldMutex held(mutex_);
  work_came_.wait_until(held, upkeep_.next_trim(), awake);
}

void Writer::Run() {
  while (true) {
    std::deque<Job> jobs;
    UnsavedReports unsaved;
    bool stopping;
    {
      absl::MutexLock lock(&mutex_);
      busy_ = false;
      upkeep_due_ = upkeep_.is_due();
      AwaitWork();
      busy_ = true;
      stopping = stopping_;
      jobs.swap(queue_);
      queued_mutations_ = 0;
      if (reports_ready_) unsaved.swap(unsaved_);
      reports_ready_ = false;
    }
    if (stopping) {
      for (Job& job : jobs) job.done(Stopping());
    } else if (!jobs.empty()) {
      WriteJobs(std::move(jobs));
    }
    if (!unsaved.empty()) WriteReports(std::move(unsaved));
    CheckpointIfDue();
    if (stopping) break;
    KeepUp();
  }
  upkeep_.EndBackup(Stopping());
  absl::MutexLock lock(&mutex_);
  busy_ = false;
}

void Writer::WriteJobs(std::deque<Job> jobs) {
  std::vector<WriteOutcome> outcomes;
  outcomes.reserve(jobs.size());
  size_t settled = 0;  // How many of the outcomes stand whether or not there is a commit.
  absl::string_view consequence = kNothingChanged;
  absl::Status failure = ReopenIfFailed();
  if (failure.ok()) {
    bool commit_failed = false;
    {
      const std::shared_ptr<const Catalogs> catalogs = CurrentCatalogs();
      WriteGroup group(store_->writing(), CurrentSnapshot(), *catalogs, next_host_id_,
                       AsStored(now_()));
      for (const Job& job : jobs) {
        absl::StatusOr<WriteOutcome> outcome = group.Take(job.request);
        failure = outcome.status();
        if (!failure.ok()) break;
        outcomes.push_back(*std::move(outcome));
        if (group.steps().empty()) settled = outcomes.size();
      }
      if (failure.ok()) {
        failure = group.Commit();
        commit_failed = !failure.ok();
      }
      if (failure.ok()) {
        next_host_id_ = group.next_host_id();
        for (const WriteGroup::Step& step : group.steps()) Publish(step.change, step.snapshot);
      }
    }
    if (!failure.ok()) NoteFailure(failure);
    // Until the database has been opened anew, a later start may find in the log what was not
    // committed.
    if (commit_failed && !ReopenIfFailed().ok()) consequence = kUnknown;
  }
  outcomes.resize(jobs.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (!failure.ok() && i >= settled) outcomes[i] = ForCaller(failure, consequence);
    jobs[i].done(std::move(outcomes[i]));
  }
}

void Writer::CheckpointIfDue() {
  // After the callers have been answered, so that none waits for it.
  if (database_failed_ || store_->writing().wal_pages() < config_.checkpoint_pages) return;
  if (const absl::Status status = store_->writing().Checkpoint(); !status.ok()) {
    NoteFailure(status);
  }
}

void Writer::KeepUp() {
  bool others_wait;
  {
    absl::MutexLock lock(&mutex_);
    others_wait = !queue_.empty();
  }
  const absl::Status trimmed = upkeep_.Trim(others_wait, !database_failed_);
  if (!trimmed.ok()) NoteFailure(trimmed);
  if (!upkeep_.has_backup()) return;
  if (const absl::Status status = ReopenIfFailed(); !status.ok()) {
    upkeep_.EndBackup(status);
  } else {
    upkeep_.AdvanceBackup();
  }
}

absl::Status Writer::ReopenIfFailed() {
  if (!database_failed_) return absl::OkStatus();
  absl::Status status = store_->Reopen();
  if (status.ok()) status = CheckCurrent();
  if (status.ok()) database_failed_ = false;
  failed_(status);
  return status;
}

absl::Status Writer::CheckCurrent() {
  ASSIGN_OR_RETURN(const Revision stored, LoadCurrentRevision(store_->writing()));
  const RevisionId current = CurrentSnapshot()->revision().id;
  if (stored.id == current) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the database is at revision ", stored.id.Format(), ", but revision ", current.Format(),
      " was committed last; look at the disk, then start the server again"));
}

void Writer::NoteFailure(const absl::Status& status) {
  database_failed_ = true;
  upkeep_.LetGo(status);  // The connection must go.
  failed_(status);
}

void Writer::Publish(std::shared_ptr<const Change> change,
                     std::shared_ptr<const Snapshot> snapshot) {
  {
    absl::MutexLock lock(&mutex_);
    snapshot_ = snapshot;
  }
  publish_(std::move(change), std::move(snapshot));
}

}  // namespace autopxe::server
