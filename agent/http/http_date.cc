#include "agent/http/http_date.h"

#include <array>
#include <cstddef>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace autopxe::agent {
namespace {

constexpr std::array<absl::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// 1*DIGIT of at most `width`.
absl::optional<int> ParseNumber(absl::string_view text, size_t width) {
  if (text.empty() || text.size() > width) return absl::nullopt;
  int value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return absl::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

absl::optional<absl::Time> BuildTime(absl::string_view day, absl::string_view month, int year,
                                     absl::string_view clock) {
  const absl::optional<int> day_number = ParseNumber(day, 2);
  int month_number = 0;
  while (month_number < 12 && kMonths[month_number] != month) ++month_number;
  const std::vector<absl::string_view> parts = absl::StrSplit(clock, ':');
  if (!day_number.has_value() || month_number == 12 || parts.size() != 3) return absl::nullopt;
  const absl::optional<int> hour = ParseNumber(parts[0], 2);
  const absl::optional<int> minute = ParseNumber(parts[1], 2);
  const absl::optional<int> second = ParseNumber(parts[2], 2);
  // 60: a leap second.
  if (!hour.has_value() || !minute.has_value() || !second.has_value() || *hour > 23 ||
      *minute > 59 || *second > 60) {
    return absl::nullopt;
  }
  const absl::CivilDay civil(year, month_number + 1, *day_number);
  if (civil.day() != *day_number) return absl::nullopt;  // The 31st of April.
  return absl::FromCivil(absl::CivilSecond(civil) + (*hour * 3600 + *minute * 60 + *second),
                         absl::UTCTimeZone());
}

}  // namespace

std::string FormatHttpDate(absl::Time time) {
  return absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", time, absl::UTCTimeZone());
}

absl::optional<absl::Time> ParseHttpDate(absl::string_view text, absl::Time now) {
  const std::vector<absl::string_view> words =
      absl::StrSplit(absl::StripAsciiWhitespace(text), ' ', absl::SkipEmpty());
  // IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
  if (words.size() == 6 && words[5] == "GMT") {
    const absl::optional<int> year = ParseNumber(words[3], 4);
    if (!year.has_value()) return absl::nullopt;
    return BuildTime(words[1], words[2], *year, words[4]);
  }
  // rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
  if (words.size() == 4 && words[3] == "GMT") {
    const std::vector<absl::string_view> date = absl::StrSplit(words[1], '-');
    if (date.size() != 3) return absl::nullopt;
    const absl::optional<int> year = ParseNumber(date[2], 2);
    if (!year.has_value()) return absl::nullopt;
    const auto this_year = static_cast<int>(absl::ToCivilYear(now, absl::UTCTimeZone()).year());
    int full = this_year - this_year % 100 + *year;
    if (full > this_year + 50) full -= 100;
    return BuildTime(date[0], date[1], full, words[2]);
  }
  // asctime-date: Sun Nov  6 08:49:37 1994
  if (words.size() == 5) {
    const absl::optional<int> year = ParseNumber(words[4], 4);
    if (!year.has_value()) return absl::nullopt;
    return BuildTime(words[2], words[1], *year, words[3]);
  }
  return absl::nullopt;
}

}  // namespace autopxe::agent
