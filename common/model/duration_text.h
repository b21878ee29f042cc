#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace autopxe {

// A span of time as people write it: what absl::ParseDuration accepts ("90m", "1h30m", "1.5s",
// "-2h", "0", "inf"), and before it, or alone, a number of days of 24 hours: "90d", "1d12h". Days
// are whole and not negative, and what follows them has no sign. Nothing for any other text.
absl::optional<absl::Duration> ParseDurationText(absl::string_view text);

}  // namespace autopxe
