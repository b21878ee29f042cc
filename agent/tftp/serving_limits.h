#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/types/optional.h"

namespace autopxe::agent::tftp {

// What of a server can change while it runs.
struct ServingLimits {
  // Less if the limit of open files (RLIMIT_NOFILE) is below two for each. When it is reached, the
  // oldest transfer whose client has never answered makes room, or else one whose client has
  // stopped answering: a flood of forged requests does not keep hosts from booting.
  size_t max_transfers = 8192;

  // Of one client's address: the same holds among these. Behind NAT many hosts have the same.
  size_t max_transfers_of_address = 1024;

  // Of a DATA packet's payload; unset: as much as goes through the interface in one piece.
  absl::optional<uint16_t> max_block_size;

  friend bool operator==(const ServingLimits&, const ServingLimits&) = default;
};

}  // namespace autopxe::agent::tftp
