#pragma once

#include <chrono>
#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "agent/net/unique_fd.h"

namespace autopxe::agent {

// What an IP packet may have where nobody knows better: Ethernet's 1500 bytes, or the 1280 that
// every link must take (RFC 8200, 5).
size_t UsualMtu(bool is_v4);

// What a UDP datagram can carry in an IP packet of `mtu` bytes.
size_t UdpPayloadIn(size_t mtu, bool is_v4);

// The longest IP packet that each interface takes, with its headers, in bytes; asked of the system
// now and then only. One thread at a time.
class InterfaceMtus {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  InterfaceMtus();

  // Unset if the system does not know: there is no such interface, or no descriptor is left.
  absl::optional<size_t> Find(int index, TimePoint now);

  // Errors: the system's.
  absl::StatusOr<size_t> Ask(int index);

 private:
  struct Known {
    absl::optional<size_t> mtu;
    TimePoint asked_at;
  };

  // Any socket will do. Opened at once, since later there may be no descriptor left.
  UniqueFd fd_;
  absl::flat_hash_map<int, Known> known_;
};

}  // namespace autopxe::agent
