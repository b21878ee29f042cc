#include "server/store/writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "server/sqlite/transaction.h"
#include "server/store/agent_rows.h"
#include "server/store/kernel_move_rows.h"
#include "server/store/revision_rows.h"
#include "server/store/store.h"
#include "server/store/write_group.h"

namespace autopxe::server {
namespace {

// What the database holds of a time: whole microseconds.
absl::Time AsStored(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

absl::Status Stopping() { return absl::UnavailableError("the server is stopping; try again"); }

// The status for a caller, who is to try again whatever failed.
absl::Status ForCaller(const absl::Status& status, absl::string_view consequence) {
  const absl::StatusCode code = status.code() == absl::StatusCode::kResourceExhausted
                                    ? absl::StatusCode::kResourceExhausted
                                    : absl::StatusCode::kUnavailable;
  return absl::Status(code, absl::StrCat(status.message(), "; ", consequence));
}

constexpr char kNothingChanged[] = "nothing was changed, try again";
constexpr char kDeletedLater[] =
    "the agent is no longer listed, and is forgotten once the database can be written again";
constexpr char kUnknown[] =
    "whether it was changed is unknown until the database can be written again, try again with the "
    "same request id";

// Whether two reports differ in more than in how old they are, which all do.
bool DiffersButForAge(const AgentStatus& before, AgentStatus now) {
  if (before.view_age.has_value() && now.view_age.has_value()) now.view_age = before.view_age;
  return now != before;
}

std::shared_ptr<const Catalogs> CatalogsOf(const AgentReports& reports) {
  auto catalogs = std::make_shared<Catalogs>();
  for (const auto& [id, report] : reports) {
    if (report.catalog != nullptr) catalogs->emplace(id, report.catalog);
  }
  return catalogs;
}

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
    }
  }
  if (!refusal.ok()) done(std::move(refusal));
}

void Writer::SaveAgentStatus(const AgentId& id, AgentStatus status, absl::Time seen) {
  status.start_time = AsStored(status.start_time);
  if (status.view_age.has_value()) {
    status.view_age = absl::Microseconds(absl::ToInt64Microseconds(*status.view_age));
  }
  seen = AsStored(seen);
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  AgentReport& report = reports_[id];
  const bool differs =
      !report.status.has_value() || DiffersButForAge(*report.status, status) ||
      absl::AbsDuration(seen - saved_seen_[id]) >= kLastSeenInterval;  // Clocks are set back, too.
  report.status = std::move(status);
  report.last_seen = seen;
  if (differs) QueueStatus(id);
  // What could not be written is tried again with every report.
  reports_ready_ = !unsaved_.empty();
}

void Writer::SaveLastSeen(const AgentId& id) {
  absl::MutexLock lock(&mutex_);
  const auto report = reports_.find(id);
  if (stopping_ || report == reports_.end() || !report->second.status.has_value()) return;
  if (saved_seen_[id] != report->second.last_seen) QueueStatus(id);
}

void Writer::QueueStatus(const AgentId& id) {
  saved_seen_[id] = reports_[id].last_seen;
  unsaved_[id].status = true;
  reports_ready_ = true;
}

void Writer::SaveAgentCatalog(const AgentId& id, std::shared_ptr<const Catalog> catalog,
                              std::vector<CountedMove> moves) {
  const absl::Time now = AsStored(now_());
  absl::MutexLock lock(&mutex_);
  if (stopping_) return;
  AgentReport& report = reports_[id];
  if (report.catalog != nullptr && *report.catalog == *catalog) return;
  report.catalog = std::move(catalog);
  catalogs_ = CatalogsOf(reports_);
  unsaved_[id].catalog = true;
  reports_ready_ = true;
  if (moves.empty()) return;
  RecordedMoves all = *moves_;
  int64_t last = std::max(written_move_, all.empty() ? 0 : all.back().id);
  for (CountedMove& move : moves) all.push_back({++last, now, id, std::move(move)});
  if (all.size() > kMaxMoves) {
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kMaxMoves));
  }
  moves_ = std::make_shared<const RecordedMoves>(std::move(all));
}

void Writer::DeleteAgentReport(const AgentId& id, std::function<void(absl::Status)> done) {
  {
    absl::MutexLock lock(&mutex_);
    if (!stopping_) {
      reports_.erase(id);
      saved_seen_.erase(id);
      catalogs_ = CatalogsOf(reports_);
      UnsavedReport& unsaved = unsaved_[id];
      unsaved.deleted = true;
      unsaved.status = false;
      unsaved.catalog = false;
      unsaved.deletions.push_back(std::move(done));
      reports_ready_ = true;
      return;
    }
  }
  done(Stopping());
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
}

void Writer::BackUp(std::function<void(absl::Status)> done) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    refusal = stopping_ ? Stopping() : upkeep_.BackUp(done);
    if (refusal.ok()) upkeep_due_ = true;
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
  }
  if (thread_.joinable()) thread_.join();
}

void Writer::Run() {
  const auto awake = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return stopping_ || HasWork(); };
  while (true) {
    std::deque<Job> jobs;
    UnsavedReports unsaved;
    bool stopping;
    {
      absl::MutexLock lock(&mutex_);
      busy_ = false;
      upkeep_due_ = upkeep_.is_due();
      mutex_.AwaitWithTimeout(absl::Condition(&awake), UntilNextTrim());
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

void Writer::WriteReports(UnsavedReports unsaved) {
  AgentReports reports;
  RecordedMoves moves;
  {
    absl::MutexLock lock(&mutex_);
    for (const RecordedMove& move : *moves_) {
      if (move.id > written_move_) moves.push_back(move);
    }
    for (const auto& [id, what] : unsaved) {
      const auto report = reports_.find(id);
      if (report != reports_.end()) reports.insert(*report);
    }
  }
  absl::Status status = ReopenIfFailed();
  if (status.ok()) {
    status = WriteReportRows(unsaved, reports, moves);
    if (!status.ok()) NoteFailure(status);
  }
  for (auto& [id, what] : unsaved) {
    for (const auto& done : what.deletions) {
      done(status.ok() ? status : ForCaller(status, kDeletedLater));
    }
  }
  absl::MutexLock lock(&mutex_);
  if (status.ok()) {
    if (!moves.empty()) written_move_ = moves.back().id;
    return;
  }
  for (const auto& [id, what] : unsaved) {
    unsaved_[id].deleted |= what.deleted;
    unsaved_[id].status |= what.status;
    unsaved_[id].catalog |= what.catalog;
  }
}

absl::Status Writer::WriteReportRows(const UnsavedReports& unsaved, const AgentReports& reports,
                                     const RecordedMoves& moves) {
  Database& database = store_->writing();
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(database));
  for (const auto& [id, what] : unsaved) {
    if (what.deleted) RETURN_IF_ERROR(server::DeleteAgentReport(database, id));
    const auto found = reports.find(id);
    if (found == reports.end()) continue;  // Deleted since.
    const AgentReport& report = found->second;
    if (what.status && report.status.has_value()) {
      RETURN_IF_ERROR(WriteAgentStatus(database, id, *report.status, report.last_seen));
    }
    if (what.catalog && report.catalog != nullptr) {
      RETURN_IF_ERROR(WriteAgentCatalog(database, id, *report.catalog));
    }
  }
  RETURN_IF_ERROR(WriteKernelMoves(database, moves));
  return transaction.Commit();
}

void Writer::CheckpointIfDue() {
  // After the callers have been answered, so that none waits for it.
  if (database_failed_ || store_->writing().wal_pages() < config_.checkpoint_pages) return;
  if (const absl::Status status = store_->writing().Checkpoint(); !status.ok()) {
    NoteFailure(status);
  }
}

absl::Duration Writer::UntilNextTrim() const {
  const auto next = upkeep_.next_trim();
  if (next == std::chrono::steady_clock::time_point::max()) return absl::InfiniteDuration();
  return absl::FromChrono(next - std::chrono::steady_clock::now());
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
