#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "agent/journal/journal_file.h"
#include "agent/journal/journal_line.h"
#include "common/model/host.h"
#include "common/runtime/clock.h"
#include "common/runtime/wakeup.h"

namespace autopxe::agent {

// The facts that are born at this agent, kept until the server has them: next boots that hosts have
// used up. Each is kept on after it was reported, until the configuration on disk is without that
// next boot, so that no restart brings it back. Thread-safe.
//
// A fact is in the file, by a write without waiting for the disk, when Add returns; a thread
// of its own then brings it to the disk. So the end of the process (kill -9) loses nothing, and
// that of the machine what was added in the last moments, 100 ms on a disk that takes writes. Where
// it can't be written it is kept in memory, and all of it is written as soon as that is possible.
class Journal {
 public:
  // What went wrong.
  enum class Trouble {
    kNotWritten,  // What is added is in memory only.
    kFull,        // What is added is not kept.
    kDamaged,     // The file could not be used at the start.
  };

  struct Options {
    size_t most = 100'000;  // Facts that are kept. Beyond it the oldest stay.
    // How many lines the file may have beyond twice what is kept before it is written anew.
    size_t most_stale_lines = 1'000;
    absl::Duration retry = absl::Seconds(5);  // After the disk failed.
    // Told with a sentence for people, or with none when it is over. From any thread; must return
    // at once and not call this object.
    std::function<void(Trouble trouble, absl::string_view sentence)> tell =
        [](Trouble, absl::string_view) {};
  };

  // Reads what is in the folder, which must exist. That the file is damaged, or can't be written,
  // is told and no error. Errors: the system's, naming the folder.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const std::string& folder, Options options);

  // Brings what is not on the disk there, and tries no second time.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Adds a fact, unless it is there. Does not wait for the disk.
  void Add(const JournalUse& use) ABSL_LOCKS_EXCLUDED(mutex_);

  // What was not reported yet, the oldest first, `most` of them at the most.
  std::vector<JournalUse> Pending(size_t most) const ABSL_LOCKS_EXCLUDED(mutex_);

  // The server has these now. Does not wait for the disk.
  void NoteReported(const std::vector<JournalUse>& uses) ABSL_LOCKS_EXCLUDED(mutex_);

  // Forgets what was reported and is not needed any more: what the configuration on disk is
  // without.
  void Forget(const std::function<bool(const UsedNextBoot&)>& is_needed)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // All that is kept, reported or not, the oldest first.
  std::vector<UsedNextBoot> Kept() const ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry {
    JournalUse use;
    bool is_reported = false;
  };

  Journal(JournalFile file, Options options);

  void Restore(const std::vector<JournalFact>& facts) ABSL_LOCKS_EXCLUDED(mutex_);
  // Makes room by the oldest that was reported; false if there is none.
  bool DropReported() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Adds lines to the file if that works at the moment; if not, a rewrite brings them.
  absl::Status Write(const std::vector<JournalFact>& facts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the file is to be written anew: until then it has what was forgotten, too.
  bool IsStale() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The file is written anew, of what is kept.
  absl::Status Rewrite() ABSL_LOCKS_EXCLUDED(mutex_);
  void Run() ABSL_LOCKS_EXCLUDED(mutex_);
  // Returns when there is something to do for the disk; true if it is the last time.
  bool AwaitWork() ABSL_LOCKS_EXCLUDED(mutex_);
  // The disk took it, or did not; tells what is new about that.
  void NoteDisk(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_);

  const Options options_;
  const SystemClock clock_;
  Wakeup wakeup_;
  mutable absl::Mutex mutex_;
  // Append and Replace with the lock; Prepare and Sync by the thread (at the start: Open) without.
  JournalFile file_;
  std::vector<Entry> entries_ ABSL_GUARDED_BY(mutex_);  // The oldest first.
  std::set<UsedNextBoot> known_ ABSL_GUARDED_BY(mutex_);
  size_t reported_ ABSL_GUARDED_BY(mutex_) = 0;  // Of entries_.
  size_t lines_ ABSL_GUARDED_BY(mutex_) = 0;     // Of the file.
  bool is_dirty_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_full_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_failing_ ABSL_GUARDED_BY(mutex_) = false;  // The next attempt is a rewrite.
  absl::Duration retry_at_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  bool is_rewriting_ ABSL_GUARDED_BY(mutex_) = false;
  std::string meanwhile_ ABSL_GUARDED_BY(mutex_);  // Lines that came during a rewrite.
  size_t meanwhile_lines_ ABSL_GUARDED_BY(mutex_) = 0;
  bool is_stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe::agent
