#pragma once

#include <cstdint>

#include "absl/types/optional.h"
#include "agent/net/event_loop.h"
#include "agent/net/interface_mtu.h"
#include "agent/net/udp_socket.h"

namespace autopxe::agent::tftp {

// How large the blocks of a transfer may be: as large as is set, or as goes through the interface
// in one piece. Fragments are lost together, and some firmware can't put them together at all. One
// thread at a time.
class BlockSizeLimit {
 public:
  // Of a DATA packet's payload, in bytes; unset: the interface decides.
  explicit BlockSizeLimit(absl::optional<uint16_t> set) : set_(set) {}
  void Set(absl::optional<uint16_t> set) { set_ = set; }

  // For whoever has sent `request`.
  uint16_t For(const Datagram& request, EventLoop::TimePoint now);

 private:
  absl::optional<uint16_t> set_;
  InterfaceMtus mtus_;
};

}  // namespace autopxe::agent::tftp
