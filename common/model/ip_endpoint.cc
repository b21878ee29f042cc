#include "common/model/ip_endpoint.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
// The longest text of an address: eight groups of four digits, the last two of them as IPv4.
constexpr size_t kLongestAddress = 45;

// A decimal number without a sign or leading zeros, `max` at most.
absl::optional<unsigned> ParseDecimal(absl::string_view text, unsigned max) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return absl::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return absl::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  if (value > max) return absl::nullopt;
  return value;
}

absl::optional<std::array<uint8_t, 4>> ParseV4(absl::string_view text) {
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '.');
  if (parts.size() != 4) return absl::nullopt;
  std::array<uint8_t, 4> octets;
  for (size_t i = 0; i < 4; ++i) {
    const absl::optional<unsigned> octet = ParseDecimal(parts[i], 255);
    if (!octet.has_value()) return absl::nullopt;
    octets[i] = static_cast<uint8_t>(*octet);
  }
  return octets;
}

// Groups of one to four hexadecimal digits between colons, the last of which may be an IPv4 address
// that counts as two if `v4_allowed`; none for an empty text. The octets.
absl::optional<std::vector<uint8_t>> ParseGroups(absl::string_view text, bool v4_allowed) {
  std::vector<uint8_t> octets;
  if (text.empty()) return octets;
  const std::vector<absl::string_view> groups = absl::StrSplit(text, ':');
  for (size_t i = 0; i < groups.size(); ++i) {
    if (v4_allowed && i + 1 == groups.size() && absl::StrContains(groups[i], '.')) {
      const absl::optional<std::array<uint8_t, 4>> v4 = ParseV4(groups[i]);
      if (!v4.has_value()) return absl::nullopt;
      octets.insert(octets.end(), v4->begin(), v4->end());
      continue;
    }
    uint32_t value;
    for (const char c : groups[i]) {
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return absl::nullopt;
    }
    if (groups[i].size() > 4 || !absl::SimpleHexAtoi(groups[i], &value)) return absl::nullopt;
    octets.push_back(static_cast<uint8_t>(value >> 8));
    octets.push_back(static_cast<uint8_t>(value));
  }
  return octets;
}

// RFC 4291, section 2.2.
absl::optional<std::array<uint8_t, 16>> ParseV6(absl::string_view text) {
  std::array<uint8_t, 16> result{};
  const size_t gap = text.find("::");
  if (gap == absl::string_view::npos) {
    const absl::optional<std::vector<uint8_t>> octets = ParseGroups(text, true);
    if (!octets.has_value() || octets->size() != result.size()) return absl::nullopt;
    std::copy(octets->begin(), octets->end(), result.begin());
    return result;
  }
  const absl::optional<std::vector<uint8_t>> head = ParseGroups(text.substr(0, gap), false);
  const absl::optional<std::vector<uint8_t>> tail = ParseGroups(text.substr(gap + 2), true);
  // "::" stands for one group at least.
  if (!head.has_value() || !tail.has_value() || head->size() + tail->size() > 14) {
    return absl::nullopt;
  }
  std::copy(head->begin(), head->end(), result.begin());
  std::copy(tail->begin(), tail->end(), result.end() - static_cast<ptrdiff_t>(tail->size()));
  return result;
}

// RFC 5952, section 4.
std::string FormatV6(const std::array<uint8_t, 16>& octets) {
  std::array<unsigned, 8> groups;
  for (size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<unsigned>(octets[2 * i]) << 8 | octets[2 * i + 1];
  }
  // The longest run of two or more zero groups, the first of equals.
  size_t gap = 0;
  size_t gap_length = 1;
  for (size_t i = 0; i < 8;) {
    size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > gap_length) {
      gap = i;
      gap_length = end - i;
    }
    i = end == i ? i + 1 : end;
  }
  std::string text;
  for (size_t i = 0; i < 8; ++i) {
    if (gap_length >= 2 && i == gap) {
      text += "::";
      i += gap_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    absl::StrAppendFormat(&text, "%x", groups[i]);
  }
  return text;
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(absl::string_view text) {
  if (text.size() <= kLongestAddress) {
    if (const auto v4 = ParseV4(text); v4.has_value()) return FromV4(*v4);
    if (const auto v6 = ParseV6(text); v6.has_value()) return FromV6(*v6);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "address ", Quote(text), ": expected an IPv4 or IPv6 address such as 10.77.1.1 or fd00::1"));
}

IpAddress IpAddress::FromV4(const std::array<uint8_t, 4>& octets) {
  std::array<uint8_t, 16> mapped;
  std::copy(kMappedPrefix.begin(), kMappedPrefix.end(), mapped.begin());
  std::copy(octets.begin(), octets.end(), mapped.begin() + kMappedPrefix.size());
  return IpAddress(mapped);
}

IpAddress IpAddress::FromV6(const std::array<uint8_t, 16>& octets) { return IpAddress(octets); }

std::string IpAddress::Format() const {
  if (!is_v4()) return FormatV6(octets_);
  char text[16];
  size_t size = 0;
  for (size_t i = 12; i < octets_.size(); ++i) {
    const unsigned octet = octets_[i];
    if (i > 12) text[size++] = '.';
    if (octet >= 100) text[size++] = static_cast<char>('0' + octet / 100);
    if (octet >= 10) text[size++] = static_cast<char>('0' + octet / 10 % 10);
    text[size++] = static_cast<char>('0' + octet % 10);
  }
  return std::string(text, size);
}

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), octets_.begin());
}

bool IpAddress::is_unspecified() const {
  return octets_ == std::array<uint8_t, 16>{} || *this == FromV4({0, 0, 0, 0});
}

bool IpAddress::is_loopback() const {
  std::array<uint8_t, 16> v6_loopback{};
  v6_loopback[15] = 1;
  return is_v4() ? octets_[12] == 127 : octets_ == v6_loopback;
}

absl::StatusOr<IpEndpoint> IpEndpoint::Parse(absl::string_view text) {
  const absl::Status malformed = absl::InvalidArgumentError(
      absl::StrCat("endpoint ", Quote(text),
                   ": expected an address and a port such as 10.77.1.1:69 or [fd00::1]:69"));
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return malformed;
  absl::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  // Brackets belong to IPv6, and to it alone: "fd00::1:69" would be ambiguous.
  if (bracketed != absl::StrContains(host, ':')) return malformed;
  const absl::StatusOr<IpAddress> address = IpAddress::Parse(host);
  const absl::optional<unsigned> port = ParseDecimal(text.substr(colon + 1), 65535);
  if (!address.ok() || !port.has_value()) return malformed;
  return IpEndpoint{*address, static_cast<uint16_t>(*port)};
}

std::string IpEndpoint::Format() const {
  return address.is_v4() ? absl::StrCat(address.Format(), ":", port)
                         : absl::StrCat("[", address.Format(), "]:", port);
}

}  // namespace autopxe
