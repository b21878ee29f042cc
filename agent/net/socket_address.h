#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "absl/status/statusor.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent {

// An endpoint as the kernel takes it.
class SocketAddress {
 public:
  // `interface_index` is used for link-local IPv6 addresses, which mean nothing without one; 0 is
  // none.
  explicit SocketAddress(const IpEndpoint& endpoint, int interface_index = 0);

  // AF_INET or AF_INET6.
  int family() const { return storage_.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_storage storage_ = {};
  socklen_t size_ = 0;
};

// Errors: INVALID_ARGUMENT if it is neither IPv4 nor IPv6, or too short for what it says it is.
absl::StatusOr<IpEndpoint> EndpointOf(const sockaddr* address, socklen_t size);

// Where a socket is bound; of a connected one, the address that its peer uses.
// Errors: the system's; INVALID_ARGUMENT if it is not an IP socket.
absl::StatusOr<IpEndpoint> LocalAddressOf(int fd);

IpAddress AddressOf(const in_addr& address);
IpAddress AddressOf(const in6_addr& address);

// fe80::/10.
bool IsLinkLocal(const IpAddress& address);

}  // namespace autopxe::agent
