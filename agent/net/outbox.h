#pragma once

#include <cstddef>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "agent/net/udp_socket.h"

namespace autopxe::agent {

// Gathers what is to be sent from several sockets and sends it with few system calls. What the
// kernel does not take is lost, as on the way. Belongs to one thread.
class Outbox {
 public:
  // Gathers up to `bytes` of datagrams.
  explicit Outbox(size_t bytes) : buffer_(bytes) {}

  // Where the bytes of the next datagram can be written, to be given to Add() then. Sends what was
  // gathered if there is no room else. REQUIRES: `bytes` is at most what the outbox gathers.
  absl::Span<char> Room(size_t bytes);

  // `datagram.bytes` may begin where Room() said, and is copied else. `socket` must stay open until
  // Flush(), and where it is. REQUIRES: as Room().
  void Add(UdpSocket& socket, OutgoingDatagram datagram);

  // Sends all that was gathered.
  void Flush();

 private:
  struct Run {
    UdpSocket* socket;
    size_t end;  // Of its datagrams in datagrams_.
  };

  std::vector<char> buffer_;
  size_t used_ = 0;
  std::vector<OutgoingDatagram> datagrams_;
  std::vector<Run> runs_;
};

}  // namespace autopxe::agent
