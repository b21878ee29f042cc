#include "common/model/mac_address.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

constexpr size_t kOctets = 6;

absl::Status Malformed(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("mac ", Quote(text), ": ", what));
}

bool IsHex(absl::string_view text) {
  for (const char c : text) {
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return false;
  }
  return true;
}

// REQUIRES: IsHex(text), two digits at most.
uint8_t HexOctet(absl::string_view text) {
  unsigned value = 0;
  for (const char c : text) {
    const char lower = absl::ascii_tolower(static_cast<unsigned char>(c));
    value = value * 16 + (lower <= '9' ? lower - '0' : lower - 'a' + 10);
  }
  return static_cast<uint8_t>(value);
}

// Whether every group is hexadecimal and of `min` to `max` digits.
bool AreHexGroups(const std::vector<absl::string_view>& groups, size_t min, size_t max) {
  for (const absl::string_view group : groups) {
    if (group.size() < min || group.size() > max || !IsHex(group)) return false;
  }
  return true;
}

// The octets of "52:54:00:12:34:56", as Format writes it: what messages and files are full of.
// False for every other spelling.
bool ReadFormatted(absl::string_view text, std::array<uint8_t, kOctets>& octets) {
  if (text.size() != 3 * kOctets - 1) return false;
  for (size_t i = 0; i < kOctets; ++i) {
    const absl::string_view octet = text.substr(3 * i, 2);
    if (!IsHex(octet) || (i > 0 && text[3 * i - 1] != ':')) return false;
    octets[i] = HexOctet(octet);
  }
  return true;
}

// Whether the address, which was written as `text`, can be a host's.
absl::StatusOr<MacAddress> Checked(const MacAddress& mac, absl::string_view text) {
  if (mac.ToNumber() == 0) return Malformed(text, "the zero address is no host's");
  // IEEE 802: the lowest bit of the first octet marks groups, the broadcast address among them.
  if ((mac.octets()[0] & 1) != 0) {
    return Malformed(text, "a multicast or broadcast address is no host's");
  }
  return mac;
}

// Two digits for each octet, with `between` between them unless it is 0. Every request writes some.
std::string Hex(const std::array<uint8_t, kOctets>& octets, char between) {
  constexpr char kDigits[] = "0123456789abcdef";
  char text[3 * kOctets];
  size_t size = 0;
  for (const uint8_t octet : octets) {
    if (between != 0 && size > 0) text[size++] = between;
    text[size++] = kDigits[octet >> 4];
    text[size++] = kDigits[octet & 15];
  }
  return std::string(text, size);
}

// The longest text that Resembles() looks into: eight groups of two digits. Bounds the work on long
// hostile text.
constexpr size_t kLongest = 8 * 3;

}  // namespace

bool MacAddress::Resembles(absl::string_view text) {
  if (absl::StrContains(text, ':')) return true;
  if (text.size() > kLongest) return false;
  if (text.size() == 2 * kOctets && IsHex(text)) return true;
  // Counted first: most names need no vector to tell.
  if (std::count(text.begin(), text.end(), '.') == 2) {
    const std::vector<absl::string_view> dotted = absl::StrSplit(text, '.');
    if (AreHexGroups(dotted, 4, 4)) return true;
  }
  if (std::count(text.begin(), text.end(), '-') < 4) return false;
  const std::vector<absl::string_view> dashed = absl::StrSplit(text, '-');
  if (dashed.size() == kOctets && AreHexGroups(dashed, 1, 2)) return true;
  return dashed.size() >= 5 && dashed.size() <= 8 && AreHexGroups(dashed, 2, 2);
}

absl::StatusOr<MacAddress> MacAddress::Parse(absl::string_view text) {
  std::array<uint8_t, kOctets> octets;
  if (ReadFormatted(text, octets)) return Checked(MacAddress(octets), text);
  std::vector<absl::string_view> groups;
  const bool has_colon = absl::StrContains(text, ':');
  if (has_colon || absl::StrContains(text, '-')) {
    groups = absl::StrSplit(text, has_colon ? ':' : '-');
    if (groups.size() != kOctets) {
      return Malformed(text, absl::StrCat("expected 6 octets, got ", groups.size()));
    }
    if (!AreHexGroups(groups, 1, 2)) {
      return Malformed(text, "expected one or two hexadecimal digits for each octet");
    }
  } else if (absl::StrContains(text, '.')) {
    const std::vector<absl::string_view> dotted = absl::StrSplit(text, '.');
    if (dotted.size() != 3 || !AreHexGroups(dotted, 4, 4)) {
      return Malformed(text, "expected three groups of four hexadecimal digits between the dots");
    }
    for (const absl::string_view group : dotted) {
      groups.push_back(group.substr(0, 2));
      groups.push_back(group.substr(2));
    }
  } else {
    if (!IsHex(text) || text.empty()) {
      return Malformed(text, "expected six octets such as 52:54:00:12:34:56");
    }
    if (text.size() != 2 * kOctets) {
      return Malformed(text, absl::StrCat("expected 12 hexadecimal digits, got ", text.size()));
    }
    for (size_t i = 0; i < kOctets; ++i) groups.push_back(text.substr(2 * i, 2));
  }

  for (size_t i = 0; i < kOctets; ++i) octets[i] = HexOctet(groups[i]);
  return Checked(MacAddress(octets), text);
}

std::string MacAddress::Format() const { return Hex(octets_, ':'); }

std::string MacAddress::FormatDashed() const { return Hex(octets_, '-'); }

std::string MacAddress::FormatHexRaw() const { return Hex(octets_, 0); }

uint64_t MacAddress::ToNumber() const {
  uint64_t number = 0;
  for (const uint8_t octet : octets_) number = number << 8 | octet;
  return number;
}

MacAddress MacAddress::FromNumber(uint64_t number) {
  std::array<uint8_t, kOctets> octets;
  for (size_t i = 0; i < kOctets; ++i) octets[i] = static_cast<uint8_t>(number >> (40 - 8 * i));
  return MacAddress(octets);
}

}  // namespace autopxe
