#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/model/snapshot.h"

namespace autopxe::agent {

// A configuration as the snapshot file holds it, and when it was written there, by the wall clock.
struct StoredSnapshot {
  std::shared_ptr<const Snapshot> snapshot;
  absl::Time saved_at;
};

// The bytes of a snapshot file; numbers are little-endian:
//   8   "APXESNAP"
//   4   version of this format, 1
//   8   when it was saved, in microseconds since 1970
//   8   length of what follows before the checksum
//       parts: 4 bytes of length, then a serialized autopxe.v1.SnapshotPart
//   32  SHA-256 of everything before
std::string EncodeSnapshot(const StoredSnapshot& stored);

// Errors: DATA_LOSS: cut, damaged, or not a snapshot file; UNIMPLEMENTED: another version of the
// format.
absl::StatusOr<StoredSnapshot> DecodeSnapshot(absl::string_view bytes);

}  // namespace autopxe::agent
