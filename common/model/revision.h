#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"

namespace autopxe {

// Names one state of the whole configuration.
struct RevisionId {
  int64_t number = 0;  // 0: never changed.
  uint64_t tag = 0;    // Random; tells apart two revisions of one number after a restore.

  // "17-9f3a5c0de1b24768": for logs, and as an identity for people.
  std::string Format() const { return absl::StrFormat("%d-%016x", number, tag); }

  friend bool operator==(const RevisionId&, const RevisionId&) = default;
};

// One accepted change of the configuration.
struct Revision {
  RevisionId id;
  absl::Time time = absl::UnixEpoch();  // By the server's clock.
  std::string user;                     // What the caller claimed; printable ASCII, may be empty.
  std::string origin;                   // The peer's address; may be empty.
  std::string request_id;               // Chosen by the caller; may be empty.

  friend bool operator==(const Revision&, const Revision&) = default;
};

}  // namespace autopxe
