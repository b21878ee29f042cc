#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "agent/net/unique_fd.h"
#include "common/model/ip_endpoint.h"

namespace autopxe::agent {

// A datagram that has come. `bytes` points into the batch that received it.
struct Datagram {
  absl::string_view bytes;
  IpEndpoint from;
  IpAddress to;             // The local address at which it came: what an answer should leave from.
  int interface_index = 0;  // Where it came in.
  bool unicast = true;      // False if it was sent to a broadcast or multicast address.
  bool truncated = false;   // It was longer than the batch has room for.
};

// A datagram to send; or several for one receiver, one behind the other.
struct OutgoingDatagram {
  absl::string_view bytes;
  IpEndpoint to;
  // One of the agent's own addresses; unset: as the socket is bound, or as the route says.
  absl::optional<IpAddress> from = absl::nullopt;
  int interface_index = 0;  // Needed for a link-local peer only.
  // The length of each of several, of which the last may be shorter: the kernel cuts them apart
  // (UDP GSO), where it can, for the price of one. 0: it is one.
  size_t segment_bytes = 0;
};

// Room for the datagrams of one receive call; meant to be kept and used again.
class ReceiveBatch {
 public:
  // For up to `count` datagrams of up to `max_bytes` bytes.
  ReceiveBatch(size_t count, size_t max_bytes);
  ~ReceiveBatch();
  ReceiveBatch(const ReceiveBatch&) = delete;
  ReceiveBatch& operator=(const ReceiveBatch&) = delete;

  // What the last UdpSocket::Receive() found; until the next one.
  const std::vector<Datagram>& datagrams() const { return datagrams_; }

 private:
  friend class UdpSocket;
  struct Slots;

  std::unique_ptr<Slots> slots_;
  std::vector<Datagram> datagrams_;
};

// A bound UDP socket, IPv4 or IPv6 (never both: `[::]` does not take IPv4), which never blocks and
// is not connected. Movable; one thread at a time.
class UdpSocket {
 public:
  // Port 0 takes a free one. `interface_index` is needed for a link-local address only.
  // Errors: the system's, naming the endpoint.
  static absl::StatusOr<UdpSocket> Open(const IpEndpoint& local, int interface_index = 0);

  int fd() const { return fd_.get(); }

  // With the real port.
  const IpEndpoint& local() const { return local_; }

  // Asks for room for `bytes` of datagrams that nobody has read yet, beyond the system's limit if
  // the process may.
  // Errors: RESOURCE_EXHAUSTED if there is less, naming the sysctl to set; the socket works all the
  // same.
  absl::Status ReserveReceiveBuffer(int bytes);

  // The same for datagrams that have not left yet: what finds no room is lost, like any datagram.
  absl::Status ReserveSendBuffer(int bytes);

  // Fills `batch` with what is waiting; nothing, if nothing is. A datagram whose sender can't be
  // told is dropped.
  // Errors: the system's.
  absl::Status Receive(ReceiveBatch& batch);

  // Returns how many, from the first, the kernel has taken as a whole: fewer if its buffer is full,
  // or if the next is not to its liking.
  // Errors: the system's, if it takes not even the first for another reason than a full buffer.
  absl::StatusOr<size_t> Send(absl::Span<const OutgoingDatagram> datagrams);

 private:
  UdpSocket(UniqueFd fd, const IpEndpoint& local, bool has_segmentation)
      : fd_(std::move(fd)), local_(local), has_segmentation_(has_segmentation) {}

  UniqueFd fd_;
  IpEndpoint local_;
  bool has_segmentation_;  // UDP GSO: Linux 4.18, and as long as no network card refused it.
};

}  // namespace autopxe::agent
