#include "server/store/writer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"
#include "server/sqlite/database_copy.h"
#include "server/sqlite/transaction.h"
#include "server/store/agent_rows.h"
#include "server/store/history_rows.h"
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

// While requests are waiting, the history is trimmed once in so many rounds.
constexpr int kRoundsWithoutTrim = 16;

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
      config_(config) {
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

void Writer::KeepHistory(absl::Duration keep, TrimmedFn trimmed) {
  absl::MutexLock lock(&mutex_);
  keep_history_ = keep;
  trimmed_ = std::move(trimmed);
  trimming_ = keep > absl::ZeroDuration();
}

void Writer::BackUp(std::function<void(absl::Status)> done) {
  absl::Status refusal;
  {
    absl::MutexLock lock(&mutex_);
    if (stopping_) {
      refusal = Stopping();
    } else if (backup_done_ != nullptr) {
      refusal = absl::ResourceExhaustedError("a backup is being made already; wait for its end");
    } else {
      backup_done_ = std::move(done);
    }
  }
  if (!refusal.ok()) done(std::move(refusal));
}

bool Writer::HasWork() const {
  return !queue_.empty() || reports_ready_ || trimming_ || backup_done_ != nullptr;
}

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
      const bool trims = keep_history_ > absl::ZeroDuration();
      mutex_.AwaitWithTimeout(absl::Condition(&awake),
                              trims
                                  ? absl::FromChrono(next_trim_ - std::chrono::steady_clock::now())
                                  : absl::InfiniteDuration());
      if (trims && std::chrono::steady_clock::now() >= next_trim_) trimming_ = true;
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
    Trim();
    AdvanceBackup();
  }
  EndBackup(Stopping());
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

void Writer::Trim() {
  absl::Duration keep;
  bool is_busy;
  {
    absl::MutexLock lock(&mutex_);
    if (!trimming_) return;
    keep = keep_history_;
    is_busy = !queue_.empty();
  }
  // Those who wait come first, but not for ever.
  if (is_busy && ++rounds_since_trim_ < kRoundsWithoutTrim) return;
  rounds_since_trim_ = 0;
  absl::StatusOr<bool> more = false;
  if (!database_failed_ && keep > absl::ZeroDuration()) more = TrimRows(now_() - keep);
  if (!more.ok()) NoteFailure(more.status());
  if (more.ok() && *more) return;
  next_trim_ = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(config_.trim_interval);
  TrimmedFn trimmed;
  {
    absl::MutexLock lock(&mutex_);
    trimming_ = keep_history_ != keep;
    trimmed = trimmed_;
  }
  const int64_t rows = std::exchange(rows_trimmed_, 0);
  // After a failure there may be no connection to ask.
  if (rows == 0 || database_failed_) return;
  const absl::StatusOr<int64_t> trimmed_to = LoadTrimmedTo(store_->writing());
  if (trimmed_to.ok()) trimmed(*trimmed_to, rows);
}

absl::StatusOr<bool> Writer::TrimRows(absl::Time until) {
  Database& database = store_->writing();
  ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(database));
  // The horizon first: what is deleted before it has been moved could be missed by a watcher.
  ASSIGN_OR_RETURN(const bool moved, MoveHorizon(database, until, 10 * config_.trimmed_rows));
  ASSIGN_OR_RETURN(const int64_t deleted, DeleteEndedRows(database, config_.trimmed_rows));
  if (!moved && deleted == 0) return false;
  RETURN_IF_ERROR(transaction.Commit());
  rows_trimmed_ += deleted;
  return true;
}

void Writer::AdvanceBackup() {
  {
    absl::MutexLock lock(&mutex_);
    if (backup_done_ == nullptr) return;
  }
  if (const absl::Status status = ReopenIfFailed(); !status.ok()) return EndBackup(status);
  if (copy_ == nullptr) {
    // A disk that turned read-only may have kept an earlier one.
    if (const absl::Status status = store_->RemoveUnfinishedBackup(); !status.ok()) {
      return EndBackup(status);
    }
    auto copy = DatabaseCopy::Begin(store_->writing(), store_->backup_path());
    if (!copy.ok()) return EndBackup(copy.status());
    copy_ = *std::move(copy);
  }
  const absl::StatusOr<bool> whole = copy_->Advance(config_.backup_pages);
  if (!whole.ok() || *whole) EndBackup(whole.status());
}

void Writer::EndBackup(const absl::Status& status) {
  copy_.reset();
  std::function<void(absl::Status)> done;
  {
    absl::MutexLock lock(&mutex_);
    done.swap(backup_done_);
  }
  if (done == nullptr) return;
  const bool is_told_as_it_is =
      status.ok() || absl::IsResourceExhausted(status) || absl::IsDataLoss(status);
  done(is_told_as_it_is ? status : absl::UnavailableError(status.message()));
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
  // It holds on to the connection, which must go.
  if (copy_ != nullptr) EndBackup(status);
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
