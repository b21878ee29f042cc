#include "agent/tftp/transfer_ports.h"

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_macros.h"

namespace autopxe::agent::tftp {

absl::StatusOr<std::vector<UdpSocket>> OpenTransferPorts(const IpAddress& address, size_t count,
                                                         const absl::optional<PortRange>& range) {
  std::vector<UdpSocket> sockets;
  if (!range.has_value()) {
    while (sockets.size() < count) {
      ASSIGN_OR_RETURN(UdpSocket socket, UdpSocket::Open({address, 0}));
      sockets.push_back(std::move(socket));
    }
    return sockets;
  }
  absl::Status last_error;
  for (uint32_t port = range->first; port <= range->last && sockets.size() < count; ++port) {
    absl::StatusOr<UdpSocket> socket = UdpSocket::Open({address, static_cast<uint16_t>(port)});
    if (socket.ok()) {
      sockets.push_back(*std::move(socket));
    } else {
      last_error = socket.status();
    }
  }
  if (!sockets.empty()) return sockets;
  return absl::Status(last_error.code(), absl::StrCat("no port of ", range->Format(),
                                                      " is free: ", last_error.message()));
}

}  // namespace autopxe::agent::tftp
