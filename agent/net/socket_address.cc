#include "agent/net/socket_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace autopxe::agent {
namespace {

// An IPv4 address is the last four octets of its mapped form.
constexpr size_t kV4Offset = 12;

}  // namespace

SocketAddress::SocketAddress(const IpEndpoint& endpoint, int interface_index) {
  const std::array<uint8_t, 16>& octets = endpoint.address.octets();
  if (endpoint.address.is_v4()) {
    sockaddr_in v4 = {};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, octets.data() + kV4Offset, sizeof(v4.sin_addr));
    std::memcpy(&storage_, &v4, sizeof(v4));
    size_ = sizeof(v4);
  } else {
    sockaddr_in6 v6 = {};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, octets.data(), sizeof(v6.sin6_addr));
    if (IsLinkLocal(endpoint.address)) v6.sin6_scope_id = interface_index;
    std::memcpy(&storage_, &v6, sizeof(v6));
    size_ = sizeof(v6);
  }
}

absl::StatusOr<IpEndpoint> EndpointOf(const sockaddr* address, socklen_t size) {
  if (size >= sizeof(sockaddr_in) && address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof(v4));
    return IpEndpoint{AddressOf(v4.sin_addr), ntohs(v4.sin_port)};
  }
  if (size >= sizeof(sockaddr_in6) && address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof(v6));
    return IpEndpoint{AddressOf(v6.sin6_addr), ntohs(v6.sin6_port)};
  }
  return absl::InvalidArgumentError(
      absl::StrCat("socket address of ", size, " bytes: expected IPv4 or IPv6"));
}

absl::StatusOr<IpEndpoint> LocalAddressOf(int fd) {
  sockaddr_storage storage = {};
  socklen_t size = sizeof(storage);
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't tell the address of descriptor ", fd));
  }
  return EndpointOf(reinterpret_cast<const sockaddr*>(&storage), size);
}

IpAddress AddressOf(const in_addr& address) {
  std::array<uint8_t, 4> octets;
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress::FromV4(octets);
}

IpAddress AddressOf(const in6_addr& address) {
  std::array<uint8_t, 16> octets;
  std::memcpy(octets.data(), &address, octets.size());
  return IpAddress::FromV6(octets);
}

bool IsLinkLocal(const IpAddress& address) {
  return address.octets()[0] == 0xfe && (address.octets()[1] & 0xc0) == 0x80;
}

}  // namespace autopxe::agent
