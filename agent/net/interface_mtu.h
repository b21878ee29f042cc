#pragma once

#include <chrono>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace autopxe::agent {

// The longest IP packet that an interface takes, with its headers, in bytes.
// Errors: the system's (there is no such interface).
absl::StatusOr<size_t> InterfaceMtu(int index);

// What a UDP datagram can carry in an IP packet of `mtu` bytes.
size_t UdpPayloadIn(size_t mtu, bool is_v4);

// The same for all interfaces, asked of the system now and then only. One thread at a time.
class InterfaceMtus {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Unset if the system does not know.
  absl::optional<size_t> Find(int index, TimePoint now);

 private:
  struct Known {
    absl::optional<size_t> mtu;
    TimePoint asked_at;
  };

  absl::flat_hash_map<int, Known> known_;
};

}  // namespace autopxe::agent
