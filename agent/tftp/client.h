#pragma once

#include <utility>

#include "agent/net/socket_address.h"
#include "agent/net/udp_socket.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent::tftp {

// What tells a client from all others.
struct Client {
  IpEndpoint endpoint;  // Its transfer id (RFC 1350, 4) with its address.

  // The interface behind which it is, if its address is link-local: another link may have the same
  // one. Else 0.
  int interface_index = 0;

  // Who has sent `datagram`.
  static Client Of(const Datagram& datagram) {
    return {datagram.from, IsLinkLocal(datagram.from.address) ? datagram.interface_index : 0};
  }

  friend bool operator==(const Client&, const Client&) = default;

  template <typename H>
  friend H AbslHashValue(H h, const Client& c) {
    return H::combine(std::move(h), c.endpoint, c.interface_index);
  }
};

}  // namespace autopxe::agent::tftp
