#pragma once

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"

namespace autopxe::agent {

// A next boot that a host used up here.
struct JournalUse {
  UsedNextBoot used;
  MacAddress mac;   // By which the host asked: for people.
  absl::Time time;  // By this machine's clock; whole microseconds.

  friend bool operator==(const JournalUse&, const JournalUse&) = default;
};

// The server has this one.
struct JournalReport {
  UsedNextBoot used;

  friend bool operator==(const JournalReport&, const JournalReport&) = default;
};

using JournalFact = std::variant<JournalUse, JournalReport>;

// The first line of a journal, with its newline.
inline constexpr absl::string_view kJournalHeader = "autopxe-journal 1\n";

// A fact as a line of the journal, with its newline: its words and a checksum of them.
//
//   used 17 4711 52:54:00:12:34:56 1700000000000000 9b1de6a24f0c3371
//   reported 17 4711 1c0f9f3f6f2d6c11
//
// The host's id, the token, and of a use the MAC and the time in microseconds since 1970.
std::string FormatJournalLine(const JournalFact& fact);

// `line` is without its newline. Errors: DATA_LOSS: it is not what FormatJournalLine writes.
absl::StatusOr<JournalFact> ParseJournalLine(absl::string_view line);

}  // namespace autopxe::agent
