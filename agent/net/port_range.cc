#include "agent/net/port_range.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/model/quote.h"

namespace autopxe::agent {
namespace {

bool ParsePort(absl::string_view text, uint16_t& port) {
  uint32_t number = 0;
  const bool is_number = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!is_number || !absl::SimpleAtoi(text, &number) || number == 0 ||
      number > std::numeric_limits<uint16_t>::max()) {
    return false;
  }
  port = static_cast<uint16_t>(number);
  return true;
}

}  // namespace

absl::StatusOr<PortRange> PortRange::Parse(absl::string_view text) {
  const std::pair<absl::string_view, absl::string_view> ends =
      absl::StrSplit(text, absl::MaxSplits('-', 1));
  const bool is_one = text.find('-') == absl::string_view::npos;
  PortRange range;
  if (!ParsePort(ends.first, range.first) ||
      !ParsePort(is_one ? ends.first : ends.second, range.last) || range.first > range.last) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quote(text), ": expected ports such as 50000-50999, from 1 to 65535"));
  }
  return range;
}

std::string PortRange::Format() const { return absl::StrCat(first, "-", last); }

}  // namespace autopxe::agent
