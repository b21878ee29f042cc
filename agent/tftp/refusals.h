#pragma once

#include <cstddef>

#include "absl/strings/string_view.h"
#include "agent/net/event_loop.h"
#include "agent/net/outbox.h"
#include "agent/net/udp_socket.h"
#include "agent/tftp/packet.h"

namespace autopxe::agent::tftp {

// The ERROR packets to those who get no transfer. Each is sent once: a client that misses it asks
// again. Whoever is answered may be forged, so an ERROR is at most three times as long as what it
// answers; nothing, if none is as short. One thread at a time.
class Refusals {
 public:
  // `outbox` must outlive it.
  explicit Refusals(Outbox& outbox) : outbox_(outbox) {}

  // Of what came to `socket`.
  void Refuse(UdpSocket& socket, const Datagram& datagram, ErrorCode code, absl::string_view text);

  // The same of a request. One without options may get the whole text: it would get a block of 512
  // bytes if all were well.
  void RefuseRead(UdpSocket& socket, const Datagram& datagram, const ReadRequest& request,
                  ErrorCode code, absl::string_view text);

  // RFC 1350, 4: the sender is told that it has no transfer here. 16 times in 10 s at the most: two
  // servers that take each other for an intruder would otherwise send each other ERRORs for ever.
  void RefuseStray(UdpSocket& socket, const Datagram& datagram, EventLoop::TimePoint now);

 private:
  void Send(UdpSocket& socket, const Datagram& datagram, ErrorCode code, absl::string_view text,
            size_t most_bytes);

  Outbox& outbox_;
  size_t strays_answered_ = 0;  // Until strays_end_at_.
  EventLoop::TimePoint strays_end_at_;
};

}  // namespace autopxe::agent::tftp
