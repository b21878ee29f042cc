#include "agent/journal/journal.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/runtime/log_line.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

std::string Lines(const std::vector<JournalFact>& facts) {
  std::string lines;
  for (const JournalFact& fact : facts) lines += FormatJournalLine(fact);
  return lines;
}

}  // namespace

Journal::Journal(JournalFile file, Options options)
    : options_(std::move(options)), file_(std::move(file)) {}

absl::StatusOr<std::unique_ptr<Journal>> Journal::Open(const std::string& folder, Options options) {
  ASSIGN_OR_RETURN(JournalFile file, JournalFile::Open(folder));
  const JournalFile::Found found = file.Load();
  const bool is_ready = file.is_ready();
  std::unique_ptr<Journal> journal(new Journal(std::move(file), std::move(options)));
  journal->Restore(found.facts);
  if (!found.damage.empty()) {
    LogLine("journal-damaged").Add("reason", found.damage).Warn();
    journal->options_.tell(Trouble::kDamaged, absl::StrCat("at the start the journal could not be "
                                                           "used as it was: ",
                                                           found.damage));
  }
  if (!is_ready) journal->NoteDisk(journal->Rewrite());
  journal->thread_ = std::thread([self = journal.get()] { self->Run(); });
  return journal;
}

Journal::~Journal() {
  {
    absl::MutexLock lock(&mutex_);
    is_stopping_ = true;
  }
  wakeup_.Notify();
  if (thread_.joinable()) thread_.join();
}

void Journal::Restore(const std::vector<JournalFact>& facts) {
  absl::MutexLock lock(&mutex_);
  lines_ = facts.size();
  std::set<UsedNextBoot> reported;
  for (const JournalFact& fact : facts) {
    if (const auto* report = std::get_if<JournalReport>(&fact)) reported.insert(report->used);
  }
  for (const JournalFact& fact : facts) {
    const auto* use = std::get_if<JournalUse>(&fact);
    if (use == nullptr || !known_.insert(use->used).second) continue;
    const bool is_reported = reported.count(use->used) > 0;
    entries_.push_back({*use, is_reported});
    if (is_reported) ++reported_;
    // The file has those, too, that made room for later ones.
    if (entries_.size() > options_.most && !DropReported()) {
      known_.erase(use->used);
      entries_.pop_back();
    }
  }
}

bool Journal::DropReported() {
  if (reported_ == 0) return false;
  const auto oldest = std::find_if(entries_.begin(), entries_.end(),
                                   [](const Entry& entry) { return entry.is_reported; });
  known_.erase(oldest->use.used);
  entries_.erase(oldest);
  --reported_;
  return true;
}

absl::Status Journal::Write(const std::vector<JournalFact>& facts) {
  const std::string lines = Lines(facts);
  if (is_rewriting_) {
    meanwhile_ += lines;
    meanwhile_lines_ += facts.size();
  }
  if (is_failing_) return absl::OkStatus();
  RETURN_IF_ERROR(file_.Append(lines));
  lines_ += facts.size();
  is_dirty_ = true;
  return absl::OkStatus();
}

void Journal::Add(const JournalUse& use) {
  bool is_full = false;
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    if (known_.count(use.used) > 0) return;
    if (entries_.size() < options_.most || DropReported()) {
      known_.insert(use.used);
      entries_.push_back({use});
      status = Write({use});
    } else {
      is_full = !std::exchange(is_full_, true);
    }
  }
  if (!status.ok()) NoteDisk(status);
  if (is_full) {
    LogLine("journal-full").Add("facts", options_.most).Error();
    options_.tell(Trouble::kFull,
                  absl::StrCat("the journal is full: ", options_.most,
                               " used next boots wait for the server, which does not hear of those "
                               "that are used now, and a restart brings them back"));
  }
  wakeup_.Notify();
}

std::vector<JournalUse> Journal::Pending(size_t most) const {
  std::vector<JournalUse> pending;
  absl::MutexLock lock(&mutex_);
  for (const Entry& entry : entries_) {
    if (pending.size() >= most) break;
    if (!entry.is_reported) pending.push_back(entry.use);
  }
  return pending;
}

void Journal::NoteReported(const std::vector<JournalUse>& uses) {
  std::set<UsedNextBoot> reported;
  for (const JournalUse& use : uses) reported.insert(use.used);
  absl::Status status;
  {
    absl::MutexLock lock(&mutex_);
    std::vector<JournalFact> facts;
    for (Entry& entry : entries_) {
      if (entry.is_reported || reported.count(entry.use.used) == 0) continue;
      entry.is_reported = true;
      ++reported_;
      facts.push_back(JournalReport{entry.use.used});
    }
    if (!facts.empty()) status = Write(facts);
  }
  if (!status.ok()) NoteDisk(status);
  wakeup_.Notify();
}

void Journal::Forget(const std::function<bool(const UsedNextBoot&)>& is_needed) {
  bool has_room_again = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto kept = std::stable_partition(
        entries_.begin(), entries_.end(),
        [&](const Entry& entry) { return !entry.is_reported || is_needed(entry.use.used); });
    for (auto gone = kept; gone != entries_.end(); ++gone) {
      known_.erase(gone->use.used);
      --reported_;
    }
    entries_.erase(kept, entries_.end());
    has_room_again = entries_.size() < options_.most && std::exchange(is_full_, false);
  }
  if (has_room_again) options_.tell(Trouble::kFull, "");
  wakeup_.Notify();
}

std::vector<UsedNextBoot> Journal::Kept() const {
  std::vector<UsedNextBoot> kept;
  absl::MutexLock lock(&mutex_);
  for (const Entry& entry : entries_) kept.push_back(entry.use.used);
  return kept;
}

bool Journal::IsStale() const {
  return !file_.is_ready() ||
         lines_ > 2 * (entries_.size() + reported_) + options_.most_stale_lines;
}

absl::Status Journal::Rewrite() {
  std::vector<Entry> entries;
  {
    absl::MutexLock lock(&mutex_);
    entries = entries_;
    is_rewriting_ = true;
    meanwhile_.clear();
    meanwhile_lines_ = 0;
  }
  std::vector<JournalFact> facts;
  for (const Entry& entry : entries) {
    facts.push_back(entry.use);
    if (entry.is_reported) facts.push_back(JournalReport{entry.use.used});
  }
  absl::Status status = file_.Prepare(Lines(facts));
  {
    absl::MutexLock lock(&mutex_);
    is_rewriting_ = false;
    if (status.ok()) status = file_.Replace(meanwhile_);
    if (status.ok()) lines_ = facts.size() + meanwhile_lines_;
  }
  RETURN_IF_ERROR(status);
  return file_.Sync();
}

void Journal::NoteDisk(const absl::Status& status) {
  bool was_failing;
  {
    absl::MutexLock lock(&mutex_);
    was_failing = std::exchange(is_failing_, !status.ok());
    if (!status.ok()) retry_at_ = clock_.Monotonic() + options_.retry;
  }
  if (status.ok()) {
    if (!was_failing) return;
    LogLine("journal-written").Info();
    options_.tell(Trouble::kNotWritten, "");
    return;
  }
  if (!was_failing) LogLine("journal-not-written").Add("reason", status.message()).Error();
  options_.tell(Trouble::kNotWritten,
                absl::StrCat("the journal can't be written, so that after a restart hosts would do "
                             "a next boot again that they have done: ",
                             status.message()));
}

bool Journal::AwaitWork() {
  while (true) {
    absl::Duration wait = absl::InfiniteDuration();
    {
      absl::MutexLock lock(&mutex_);
      if (is_stopping_) return true;
      if (!is_failing_ && (is_dirty_ || IsStale())) return false;
      if (is_failing_) wait = retry_at_ - clock_.Monotonic();
      if (wait <= absl::ZeroDuration()) return false;
    }
    wakeup_.WaitFor(wait);
  }
}

void Journal::Run() {
  while (true) {
    const bool is_last = AwaitWork();
    bool is_rewrite;
    bool is_dirty;
    {
      absl::MutexLock lock(&mutex_);
      is_rewrite = is_failing_ || IsStale();
      is_dirty = std::exchange(is_dirty_, false);
    }
    if (is_rewrite) {
      NoteDisk(Rewrite());
    } else if (is_dirty) {
      // What fdatasync could not write, another one need not write either: a rewrite does.
      if (const absl::Status status = file_.Sync(); !status.ok()) NoteDisk(status);
    }
    if (is_last) return;
  }
}

}  // namespace autopxe::agent
