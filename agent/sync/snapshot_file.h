#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "agent/sync/problems.h"
#include "agent/sync/snapshot_encoding.h"
#include "common/runtime/state_folder.h"

namespace autopxe::agent {

// The agent's configuration on disk, in files of its state folder, all of mode 0600:
//   configuration.snapshot           the newest
//   configuration.snapshot.previous  the one before, for when the newest turns out to be damaged
//   configuration.snapshot.damaged   set aside for a person to look at, and the next ones with .2,
//                                    .3 and .4 behind it: the first three are never replaced
//   lock                             held while an agent uses the folder
// Not thread-safe.
class SnapshotFile {
 public:
  // Makes the folder if it is missing, and takes its lock.
  // Errors: naming the folder and what to do: PERMISSION_DENIED, NOT_FOUND, UNAVAILABLE from the
  // system; FAILED_PRECONDITION: another agent uses the folder.
  static absl::StatusOr<std::unique_ptr<SnapshotFile>> Open(const std::string& folder);

  ~SnapshotFile();
  SnapshotFile(const SnapshotFile&) = delete;
  SnapshotFile& operator=(const SnapshotFile&) = delete;

  // The newest snapshot that is whole. What is damaged is set aside, and logged and told to
  // `problems` with the reason. Errors: NOT_FOUND: there is none.
  absl::StatusOr<StoredSnapshot> Load(Problems& problems);

  // Replaces the newest by this one: when Save returns OK it survives a power cut, and whenever the
  // process or the machine dies, one whole snapshot is there. Errors: the system's, naming the
  // file.
  absl::Status Save(const StoredSnapshot& stored);

 private:
  SnapshotFile(StateFolder folder, int lock_fd);

  // Errors: NOT_FOUND; DATA_LOSS, UNIMPLEMENTED as DecodeSnapshot; the system's.
  absl::StatusOr<StoredSnapshot> Read(const char* name) const;

  const StateFolder folder_;
  const int lock_fd_;
};

}  // namespace autopxe::agent
