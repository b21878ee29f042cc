#include "ctl/term_text.h"

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "common/model/quote.h"
#include "ctl/exit_code.h"

namespace autopxe::ctl {
namespace {

absl::optional<absl::Duration> UnitOf(char letter) {
  switch (letter) {
    case 'd':
      return absl::Hours(24);
    case 'h':
      return absl::Hours(1);
    case 'm':
      return absl::Minutes(1);
    case 's':
      return absl::Seconds(1);
    default:
      return absl::nullopt;
  }
}

absl::optional<absl::Duration> ParseSpan(absl::string_view text) {
  if (text.empty()) return absl::nullopt;
  absl::Duration span;
  while (!text.empty()) {
    const size_t digits = text.find_first_not_of("0123456789");
    int32_t number = 0;
    if (digits == absl::string_view::npos || !absl::SimpleAtoi(text.substr(0, digits), &number)) {
      return absl::nullopt;
    }
    const absl::optional<absl::Duration> unit = UnitOf(text[digits]);
    if (!unit.has_value()) return absl::nullopt;
    span += *unit * number;
    text.remove_prefix(digits + 1);
  }
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
