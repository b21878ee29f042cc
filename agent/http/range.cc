#include "agent/http/range.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"

namespace autopxe::agent {
namespace {

// 1*DIGIT; what is beyond 64 bits is the largest number, which is beyond every content.
absl::optional<uint64_t> ParsePosition(absl::string_view text) {
  if (text.empty()) return absl::nullopt;
  constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();
  uint64_t value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return absl::nullopt;
    const uint64_t digit = static_cast<uint64_t>(c - '0');
    value = value > (kMax - digit) / 10 ? kMax : value * 10 + digit;
  }
  return value;
}

RequestedRange Suffix(absl::string_view text, uint64_t size) {
  const absl::optional<uint64_t> wanted = ParsePosition(text);
  if (!wanted.has_value()) return WholeContent();
  if (*wanted == 0) return UnsatisfiableRange();
  // Satisfiable for an empty content, but no Content-Range could say it.
  if (size == 0) return WholeContent();
  const uint64_t length = std::min(*wanted, size);
  return ByteRange{size - length, length};
}

}  // namespace

RequestedRange ParseRange(absl::string_view field, uint64_t size) {
  const std::vector<absl::string_view> halves = absl::StrSplit(field, absl::MaxSplits('=', 1));
  if (halves.size() != 2 || !absl::EqualsIgnoreCase(halves[0], "bytes")) return WholeContent();
  absl::string_view spec;
  for (const absl::string_view element : absl::StrSplit(halves[1], ',')) {
    const absl::string_view stripped = absl::StripAsciiWhitespace(element);
    if (stripped.empty()) continue;  // RFC 9110, section 5.6.1.2: empty elements count for nothing.
    if (!spec.empty()) return WholeContent();
    spec = stripped;
  }
  const std::vector<absl::string_view> ends = absl::StrSplit(spec, absl::MaxSplits('-', 1));
  if (ends.size() != 2) return WholeContent();
  if (ends[0].empty()) return Suffix(ends[1], size);

  const absl::optional<uint64_t> first = ParsePosition(ends[0]);
  const absl::optional<uint64_t> last =
      ends[1].empty() ? absl::optional<uint64_t>(size == 0 ? 0 : size - 1) : ParsePosition(ends[1]);
  if (!first.has_value() || !last.has_value()) return WholeContent();
  if (!ends[1].empty() && *last < *first) return WholeContent();
  if (*first >= size) return UnsatisfiableRange();
  return ByteRange{*first, std::min(*last, size - 1) - *first + 1};
}

std::string FormatContentRange(const ByteRange& range, uint64_t size) {
  return absl::StrCat("bytes ", range.first, "-", range.first + range.length - 1, "/", size);
}

std::string FormatUnsatisfiedRange(uint64_t size) { return absl::StrCat("bytes */", size); }

}  // namespace autopxe::agent
