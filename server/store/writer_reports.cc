// The writer's part for what agents report.

#include <algorithm>
#include <cstddef>
#include <utility>

#include "common/status/status_macros.h"
#include "server/sqlite/transaction.h"
#include "server/store/agent_rows.h"
#include "server/store/caller_status.h"
#include "server/store/kernel_move_rows.h"
#include "server/store/next_boot_use_rows.h"
#include "server/store/store.h"
#include "server/store/writer.h"

namespace autopxe::server {
namespace {

// What the database holds of a time: whole microseconds.
absl::Time AsStored(absl::Time time) { return absl::FromUnixMicros(absl::ToUnixMicros(time)); }

constexpr char kDeletedLater[] =
    "the agent is no longer listed, and is forgotten once the database can be written again";

// Whether two reports differ in more than in how old they are, which all do.
bool DiffersButForAge(const AgentStatus& before, AgentStatus now) {
  if (before.view_age.has_value() && now.view_age.has_value()) now.view_age = before.view_age;
  return now != before;
}

}  // namespace

std::shared_ptr<const Catalogs> Writer::CatalogsOf(const AgentReports& reports) {
  auto catalogs = std::make_shared<Catalogs>();
  for (const auto& [id, report] : reports) {
    if (report.catalog != nullptr) catalogs->emplace(id, report.catalog);
  }
  return catalogs;
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
  work_came_.notify_one();
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
  work_came_.notify_one();
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
  work_came_.notify_one();
  if (moves.empty()) return;
  RecordedMoves all = *moves_;
  int64_t last = std::max(written_move_, all.empty() ? 0 : all.back().id);
  for (CountedMove& move : moves) all.push_back({++last, now, id, std::move(move)});
  if (all.size() > kMaxMoves) {
    all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(kMaxMoves));
  }
  moves_ = std::make_shared<const RecordedMoves>(std::move(all));
}

std::vector<std::vector<NextBootUse>> Writer::SaveNextBootUses(std::vector<NextBootUse> uses) {
  std::vector<std::vector<NextBootUse>> used_twice;
  absl::MutexLock lock(&mutex_);
  if (stopping_) return used_twice;
  for (NextBootUse& use : uses) {
    use.time = AsStored(use.time);
    unsaved_[use.agent];  // What wakes the thread; nothing of the agent's own is to be written.
    std::vector<NextBootUse> same = next_boot_uses_.Add(std::move(use));
    if (!same.empty()) used_twice.push_back(std::move(same));
  }
  reports_ready_ = !unsaved_.empty();
  work_came_.notify_one();
  return used_twice;
}

std::vector<NextBootUse> Writer::NextBootUsedTwice(HostId host) const {
  absl::MutexLock lock(&mutex_);
  return next_boot_uses_.UsedTwice(host);
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
      work_came_.notify_one();
      return;
    }
  }
  done(Stopping());
}

void Writer::WriteReports(UnsavedReports unsaved) {
  AgentReports reports;
  RecordedMoves moves;
  std::vector<NextBootUse> uses;
  {
    absl::MutexLock lock(&mutex_);
    uses = next_boot_uses_.After(written_use_);
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
    status = WriteReportRows(unsaved, reports, moves, uses);
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
    if (!uses.empty()) written_use_ = uses.back().id;
    return;
  }
  for (const auto& [id, what] : unsaved) {
    unsaved_[id].deleted |= what.deleted;
    unsaved_[id].status |= what.status;
    unsaved_[id].catalog |= what.catalog;
  }
}

absl::Status Writer::WriteReportRows(const UnsavedReports& unsaved, const AgentReports& reports,
                                     const RecordedMoves& moves,
                                     const std::vector<NextBootUse>& uses) {
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
  RETURN_IF_ERROR(WriteNextBootUses(database, uses));
  return transaction.Commit();
}

}  // namespace autopxe::server
