#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "agent/journal/journal_line.h"
#include "common/runtime/state_folder.h"

namespace autopxe::agent {

// The journal on disk: the file "journal" of the state folder, of mode 0600, one line for each fact
// (journal_line.h). For one thread at a time, but for Prepare and Sync.
class JournalFile {
 public:
  // What a file held, and what was wrong with it.
  struct Found {
    std::vector<JournalFact> facts;
    // Why the file is not used as it is, and what became of it; empty if all is well. What of it is
    // readable is in `facts`.
    std::string damage;
  };

  // The folder must exist. Errors: the system's, naming it.
  static absl::StatusOr<JournalFile> Open(const std::string& folder);

  JournalFile(JournalFile&& other) noexcept;
  JournalFile& operator=(JournalFile&&) = delete;
  ~JournalFile();

  // Reads the file. A last line that is not whole is what was being written when the machine died:
  // it is cut off, with a warning in the log. A file that is damaged otherwise is renamed to
  // journal.damaged (later ones with .2, .3 and .4 behind it: the first three are never replaced).
  Found Load();

  // Whether lines can be added; else only after Replace: there was no file yet, it is damaged, or
  // something failed.
  bool is_ready() const { return fd_ >= 0 && !failed_; }

  // Adds lines, which survive the end of this process when it returns OK, and Sync makes survive
  // the machine's. Errors: the system's; nothing of the lines is there then.
  absl::Status Append(absl::string_view lines);

  // Brings what was added before to the disk, and what Replace did. Another thread may call Append
  // meanwhile. Errors: the system's.
  absl::Status Sync();

  // Writes another file beside it, of `lines`, and brings it to the disk; the one in use stays as
  // it is, and another thread may call Append meanwhile. Errors: the system's.
  absl::Status Prepare(absl::string_view lines);

  // The file that was prepared, with `more` lines, takes the place of the one in use. Does not wait
  // for the disk. Errors: the system's; then the one in use stays.
  absl::Status Replace(absl::string_view more);

 private:
  explicit JournalFile(StateFolder folder) : folder_(std::move(folder)) {}

  // Says what became of it.
  std::string SetAside() const;

  StateFolder folder_;
  int fd_ = -1;              // -1: none. Set by Load and Replace alone, so that Sync needs no lock.
  int prepared_ = -1;        // -1: none.
  int64_t size_ = 0;         // Bytes of whole lines of the file in use.
  bool failed_ = false;      // Since the last Replace.
  bool is_renamed_ = false;  // Since the last Sync that succeeded.
};

}  // namespace autopxe::agent
