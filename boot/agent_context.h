#pragma once

#include <cstdint>
#include <string>

#include "absl/types/optional.h"
#include "common/model/ip_endpoint.h"
#include "common/model/name.h"

namespace autopxe {

// What an agent is, as far as a boot depends on it.
struct AgentContext {
  AgentId id;
  // Its own rootfs folder: the rootfs-path-prefix if none is set.
  std::string rootfs_folder;
  // Where hosts reach it; unset: the address at which they asked.
  absl::optional<IpAddress> advertise;
  uint16_t http_port = 0;  // 0: it serves no HTTP.
  uint16_t tftp_port = 0;  // 0: it serves no TFTP.
};

}  // namespace autopxe
