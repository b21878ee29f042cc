#include "common/model/duration_text.h"

#include <cstddef>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"

namespace autopxe {

absl::optional<absl::Duration> ParseDurationText(absl::string_view text) {
  absl::Duration days;
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits != absl::string_view::npos && digits > 0 && text[digits] == 'd') {
    int32_t number = 0;
    if (!absl::SimpleAtoi(text.substr(0, digits), &number)) return absl::nullopt;
    days = absl::Hours(24) * number;
    text.remove_prefix(digits + 1);
    if (text.empty()) return days;
    if (!absl::ascii_isdigit(static_cast<unsigned char>(text.front()))) return absl::nullopt;
  }
  absl::Duration rest;
  if (!absl::ParseDuration(text, &rest)) return absl::nullopt;
  return days + rest;
}

}  // namespace autopxe
