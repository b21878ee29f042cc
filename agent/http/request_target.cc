#include "agent/http/request_target.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// RFC 3629, section 4: no overlong form, no surrogate, nothing beyond U+10FFFF.
bool IsUtf8(absl::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    const uint8_t lead = static_cast<uint8_t>(text[at++]);
    if (lead < 0x80) continue;
    size_t more;
    uint32_t code;
    uint32_t least;
    if (lead >= 0xc0 && lead < 0xe0) {
      more = 1, code = lead & 0x1fu, least = 0x80;
    } else if (lead >= 0xe0 && lead < 0xf0) {
      more = 2, code = lead & 0x0fu, least = 0x800;
    } else if (lead >= 0xf0 && lead < 0xf8) {
      more = 3, code = lead & 0x07u, least = 0x10000;
    } else {
      return false;
    }
    if (text.size() - at < more) return false;
    for (; more > 0; --more) {
      const uint8_t next = static_cast<uint8_t>(text[at++]);
      if ((next & 0xc0u) != 0x80) return false;
      code = code << 6 | (next & 0x3fu);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
  }
  return true;
}

// Errors: INVALID_ARGUMENT with what is wrong.
absl::StatusOr<std::string> Decode(absl::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      const size_t end = std::min(text.find('%', at), text.size());
      decoded.append(text.data() + at, end - at);
      at = end - 1;
      continue;
    }
    const absl::string_view digits = text.substr(at + 1, 2);
    if (digits.size() != 2 || !absl::ascii_isxdigit(static_cast<unsigned char>(digits[0])) ||
        !absl::ascii_isxdigit(static_cast<unsigned char>(digits[1]))) {
      return absl::InvalidArgumentError("'%' without two hexadecimal digits");
    }
    decoded.append(absl::HexStringToBytes(digits));
    at += 2;
  }
  if (absl::StrContains(decoded, '\0')) return absl::InvalidArgumentError("NUL");
  if (!IsUtf8(decoded)) return absl::InvalidArgumentError("not UTF-8");
  return decoded;
}

absl::StatusOr<RequestTarget> Parse(absl::string_view target) {
  std::string with_path;
  if (const size_t scheme = target.find("://");
      !absl::StartsWith(target, "/") && scheme != absl::string_view::npos) {
    target.remove_prefix(std::min(target.find_first_of("/?", scheme + 3), target.size()));
    // RFC 9110, section 4.2.3: no path is the same as "/".
    if (!absl::StartsWith(target, "/")) with_path = absl::StrCat("/", target);
    if (!with_path.empty()) target = with_path;
  }
  if (!absl::StartsWith(target, "/")) {
    return absl::InvalidArgumentError("expected a path that begins with '/'");
  }
  const std::vector<absl::string_view> halves = absl::StrSplit(target, absl::MaxSplits('?', 1));
  RequestTarget parsed;
  ASSIGN_OR_RETURN(parsed.path, Decode(halves[0]));
  if (halves.size() == 1) return parsed;
  for (const absl::string_view field : absl::StrSplit(halves[1], '&', absl::SkipEmpty())) {
    const std::vector<absl::string_view> pair = absl::StrSplit(field, absl::MaxSplits('=', 1));
    ASSIGN_OR_RETURN(std::string name, Decode(pair[0]));
    std::string value;
    if (pair.size() == 2) {
      ASSIGN_OR_RETURN(value, Decode(pair[1]));
    }
    parsed.query.emplace(std::move(name), std::move(value));
  }
  return parsed;
}

}  // namespace

absl::StatusOr<RequestTarget> ParseRequestTarget(absl::string_view target) {
  absl::StatusOr<RequestTarget> parsed = Parse(target);
  if (parsed.ok()) return parsed;
  return absl::Status(parsed.status().code(), absl::StrCat("request target ", Quote(target), ": ",
                                                           parsed.status().message()));
}

}  // namespace autopxe::agent
