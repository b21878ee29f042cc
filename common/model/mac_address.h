#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// A MAC address of six octets (EUI-48). A value: cheap to copy, ordered, hashable, never invalid.
class MacAddress {
 public:
  // Accepts every usual spelling in any letter case: "52:54:00:12:34:56", "52-54-00-12-34-56",
  // "525400123456" (iPXE's ${mac:hexraw}), "5254.0012.3456" (Cisco), and octets without their
  // leading zero between colons or dashes ("2:0:0:a:b:c").
  // Errors: INVALID_ARGUMENT, naming the text; also for the broadcast, multicast and all-zero
  // addresses, which no host has.
  static absl::StatusOr<MacAddress> Parse(absl::string_view text);

  // Whether `text` can only be meant as a MAC, a good one or not: it holds a ':', or is 12
  // hexadecimal digits, or three groups of four between dots, or six groups of one or two between
  // dashes, or five to eight groups of two between dashes. No host may be called so.
  static bool Resembles(absl::string_view text);

  static MacAddress FromOctets(const std::array<uint8_t, 6>& octets) { return MacAddress(octets); }

  // "52:54:00:12:34:56".
  std::string Format() const;

  // "52-54-00-12-34-56", for paths.
  std::string FormatDashed() const;

  // "525400123456", as iPXE's ${mac:hexraw}.
  std::string FormatHexRaw() const;

  const std::array<uint8_t, 6>& octets() const { return octets_; }

  // The address as a number of 48 bits, in the order of the octets: sorts as the address does.
  uint64_t ToNumber() const;

  // REQUIRES: number < 2^48.
  static MacAddress FromNumber(uint64_t number);

  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const MacAddress& mac) {
    return H::combine(std::move(h), mac.octets_);
  }

 private:
  explicit MacAddress(const std::array<uint8_t, 6>& octets) : octets_(octets) {}

  std::array<uint8_t, 6> octets_;
};

}  // namespace autopxe
