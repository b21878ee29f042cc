#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// An IPv4 or IPv6 address. A value, never invalid. IPv4-mapped IPv6 ("::ffff:10.0.0.1") is the IPv4
// address.
class IpAddress {
 public:
  // "10.77.1.1" or "fd00::1"; no zone, no brackets, no host name.
  // Errors: INVALID_ARGUMENT, naming the text.
  static absl::StatusOr<IpAddress> Parse(absl::string_view text);

  static IpAddress FromV4(const std::array<uint8_t, 4>& octets);
  static IpAddress FromV6(const std::array<uint8_t, 16>& octets);

  // The shortest usual form (RFC 5952 for IPv6).
  std::string Format() const;

  bool is_v4() const;
  // 0.0.0.0 or ::.
  bool is_unspecified() const;
  // 127.0.0.0/8 or ::1.
  bool is_loopback() const;

  // IPv6 form of 16 octets; an IPv4 address is mapped (::ffff:a.b.c.d).
  const std::array<uint8_t, 16>& octets() const { return octets_; }

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const IpAddress& a) {
    return H::combine(std::move(h), a.octets_);
  }

 private:
  explicit IpAddress(const std::array<uint8_t, 16>& octets) : octets_(octets) {}

  std::array<uint8_t, 16> octets_;
};

// An address and a UDP or TCP port. A value, never invalid.
struct IpEndpoint {
  IpAddress address;
  uint16_t port = 0;  // 0: any free port, where something listens.

  // "10.77.1.1:69", "[fd00::1]:69".
  // Errors: INVALID_ARGUMENT, naming the text and what is expected.
  static absl::StatusOr<IpEndpoint> Parse(absl::string_view text);

  std::string Format() const;

  friend auto operator<=>(const IpEndpoint&, const IpEndpoint&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const IpEndpoint& e) {
    return H::combine(std::move(h), e.address, e.port);
  }
};

}  // namespace autopxe
