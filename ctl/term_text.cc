#include "ctl/term_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/model/duration_text.h"
#include "common/model/quote.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

// Far beyond what the server takes, and well within a Duration of the wire.
constexpr absl::Duration kMostSpan = absl::Hours(24 * 366 * 100);

absl::optional<absl::Duration> ParseSpan(absl::string_view text) {
  const absl::optional<absl::Duration> span = ParseDurationText(text);
  if (!span.has_value() || *span < absl::ZeroDuration() || *span > kMostSpan) return absl::nullopt;
  return span;
}

absl::optional<absl::Time> ParseTimeOfDay(absl::string_view text, absl::TimeZone zone) {
  // absl::ParseTime takes blanks and words, too.
  if (text.find_first_not_of("0123456789-:.+TtZz") != absl::string_view::npos) return absl::nullopt;
  for (const char* format : {"%Y-%m-%d%ET%H:%M:%E*S%Ez", "%Y-%m-%d%ET%H:%M%Ez",
                             "%Y-%m-%d%ET%H:%M:%E*S", "%Y-%m-%d%ET%H:%M"}) {
    absl::Time time;
    if (absl::ParseTime(format, text, zone, &time, nullptr)) return time;
  }
  return absl::nullopt;
}

}  // namespace

absl::StatusOr<std::variant<absl::Duration, absl::Time>> ParseEnd(absl::string_view text,
                                                                  absl::TimeZone zone) {
  if (const auto span = ParseSpan(text); span.has_value()) return *span;
  if (const auto time = ParseTimeOfDay(text, zone); time.has_value()) return *time;
  return UsageError(absl::StrCat("--until: ", Quote(text),
                                 ": expected a time from now such as 90m, 2h or 3d, or one such as "
                                 "2026-12-01T08:00 (here) or 2026-12-01T08:00Z"));
}

}  // namespace autopxe::ctl
