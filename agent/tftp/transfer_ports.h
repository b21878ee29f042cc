#pragma once

#include <cstddef>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/net/port_range.h"
#include "agent/net/udp_socket.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent::tftp {

// Opens up to `count` ports of `address` for transfers to share: of `range`, or else whichever are
// free. Those of the range that something else has are left out.
// Errors: the system's, if not one can be had, naming the range.
absl::StatusOr<std::vector<UdpSocket>> OpenTransferPorts(const IpAddress& address, size_t count,
                                                         const absl::optional<PortRange>& range);

}  // namespace autopxe::agent::tftp
