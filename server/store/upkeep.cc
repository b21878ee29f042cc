#include "server/store/upkeep.h"

#include <utility>

#include "common/status/status_macros.h"
#include "server/sqlite/database_copy.h"
#include "server/sqlite/transaction.h"
#include "server/store/history_rows.h"
#include "server/store/revision_rows.h"
#include "server/store/store.h"

namespace autopxe::server {
namespace {

// While requests are waiting, the history is trimmed once in so many rounds.
constexpr int kRoundsWithoutTrim = 16;

}  // namespace

Upkeep::Upkeep(Store* store, std::function<absl::Time()> now, Config config)
    : store_(store), now_(std::move(now)), config_(config) {}

Upkeep::~Upkeep() = default;

void Upkeep::KeepHistory(absl::Duration keep, TrimmedFn trimmed) {
  absl::MutexLock lock(&mutex_);
  keep_history_ = keep;
  trimmed_ = std::move(trimmed);
  trimming_ = keep > absl::ZeroDuration();
}

absl::Status Upkeep::BackUp(std::function<void(absl::Status)> done) {
  absl::MutexLock lock(&mutex_);
  if (backup_done_ != nullptr) {
    return absl::ResourceExhaustedError("a backup is being made already; wait for its end");
  }
  backup_done_ = std::move(done);
  return absl::OkStatus();
}

bool Upkeep::is_due() const {
  absl::MutexLock lock(&mutex_);
  return trimming_ || backup_done_ != nullptr;
}

std::chrono::steady_clock::time_point Upkeep::next_trim() const {
  absl::MutexLock lock(&mutex_);
  return keep_history_ > absl::ZeroDuration() ? next_trim_
                                              : std::chrono::steady_clock::time_point::max();
}

bool Upkeep::has_backup() const {
  absl::MutexLock lock(&mutex_);
  return backup_done_ != nullptr;
}

absl::Status Upkeep::Trim(bool others_wait, bool has_database) {
  absl::Duration keep;
  {
    absl::MutexLock lock(&mutex_);
    keep = keep_history_;
    if (keep > absl::ZeroDuration() && std::chrono::steady_clock::now() >= next_trim_) {
      trimming_ = true;
    }
    if (!trimming_) return absl::OkStatus();
  }
  // Those who wait come first, but not for ever.
  if (others_wait && ++rounds_since_trim_ < kRoundsWithoutTrim) return absl::OkStatus();
  rounds_since_trim_ = 0;
  absl::StatusOr<bool> more = false;
  if (has_database && keep > absl::ZeroDuration()) more = TrimRows(now_() - keep);
  if (more.ok() && *more) return absl::OkStatus();
  TrimmedFn trimmed;
  {
    absl::MutexLock lock(&mutex_);
    next_trim_ =
        std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(config_.trim_interval);
    trimming_ = keep_history_ != keep;
    trimmed = trimmed_;
  }
  const int64_t rows = std::exchange(rows_trimmed_, 0);
  RETURN_IF_ERROR(more.status());
  // After a failure there may be no connection to ask.
  if (rows == 0 || !has_database) return absl::OkStatus();
  const absl::StatusOr<int64_t> trimmed_to = LoadTrimmedTo(store_->writing());
  if (trimmed_to.ok()) trimmed(*trimmed_to, rows);
  return absl::OkStatus();
}

absl::StatusOr<bool> Upkeep::TrimRows(absl::Time until) {
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

void Upkeep::AdvanceBackup() {
  const absl::StatusOr<bool> whole = CopyPages();
  if (!whole.ok() || *whole) EndBackup(whole.status());
}

absl::StatusOr<bool> Upkeep::CopyPages() {
  if (copy_ == nullptr) {
    // A disk that turned read-only may have kept an earlier one.
    RETURN_IF_ERROR(store_->RemoveUnfinishedBackup());
    ASSIGN_OR_RETURN(copy_, DatabaseCopy::Begin(store_->writing(), store_->backup_path()));
  }
  return copy_->Advance(config_.backup_pages);
}

void Upkeep::LetGo(const absl::Status& status) {
  if (copy_ != nullptr) EndBackup(status);
}

void Upkeep::EndBackup(const absl::Status& status) {
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

}  // namespace autopxe::server
