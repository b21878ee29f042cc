#include "agent/net/udp_socket.h"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/net/socket_address.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

// The larger of the two, in_pktinfo or in6_pktinfo, and UDP_SEGMENT's length.
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t));

constexpr size_t kSendAtOnce = 64;

// The kernel's UDP_MAX_SEGMENTS (128 since Linux 6.9), and the longest IPv4 datagram.
constexpr size_t kSegmentsAtOnce = 64;
constexpr size_t kSegmentedBytesAtOnce = 65507;

union ControlBuffer {
  cmsghdr alignment;
  char bytes[kControlBytes];
};

absl::Status SetOption(int fd, int level, int option, const char* name) {
  const int on = 1;
  if (setsockopt(fd, level, option, &on, sizeof(on)) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("can't set ", name));
}

absl::Status SetOptions(int fd, int family) {
  if (family == AF_INET) return SetOption(fd, IPPROTO_IP, IP_PKTINFO, "IP_PKTINFO");
  RETURN_IF_ERROR(SetOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, "IPV6_V6ONLY"));
  return SetOption(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, "IPV6_RECVPKTINFO");
}

// One of a socket's two.
struct Buffer {
  int option;
  int forced_option;  // Goes beyond the sysctl, with CAP_NET_ADMIN only.
  absl::string_view name;
  absl::string_view too_much;  // What would be lost.
  absl::string_view sysctl;
};

constexpr Buffer kReceiveBuffer = {SO_RCVBUF, SO_RCVBUFFORCE, "receive", "many requests at once",
                                   "net.core.rmem_max"};
constexpr Buffer kSendBuffer = {SO_SNDBUF, SO_SNDBUFFORCE, "send", "many answers at once",
                                "net.core.wmem_max"};

absl::Status ReserveBuffer(int fd, const IpEndpoint& local, const Buffer& buffer, int bytes) {
  if (setsockopt(fd, SOL_SOCKET, buffer.forced_option, &bytes, sizeof(bytes)) == 0) {
    return absl::OkStatus();
  }
  if (setsockopt(fd, SOL_SOCKET, buffer.option, &bytes, sizeof(bytes)) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't set the ", buffer.name, " buffer"));
  }
  int doubled = 0;
  socklen_t size = sizeof(doubled);
  if (getsockopt(fd, SOL_SOCKET, buffer.option, &doubled, &size) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't read the ", buffer.name, " buffer"));
  }
  const int got = doubled / 2;  // socket(7): the kernel doubles it, for its own bookkeeping.
  if (got >= bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the ", buffer.name, " buffer of UDP ", local.Format(), " has ", got, " bytes instead of ",
      bytes, ": ", buffer.too_much, " would be lost; set sysctl ", buffer.sysctl, "=", bytes,
      " or grant CAP_NET_ADMIN"));
}

// Where a datagram came in, by the control message beside it.
struct Arrival {
  absl::optional<IpAddress> to;
  int interface_index = 0;
  bool unicast = true;
};

Arrival ArrivalOf(msghdr& message) {
  Arrival arrival;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo came;
      std::memcpy(&came, CMSG_DATA(control), sizeof(came));
      // ipi_spec_dst is the local address; ipi_addr the one in the packet, which differs for a
      // broadcast.
      arrival.to = AddressOf(came.ipi_spec_dst);
      arrival.unicast = came.ipi_spec_dst.s_addr == came.ipi_addr.s_addr;
      arrival.interface_index = came.ipi_ifindex;
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo came;
      std::memcpy(&came, CMSG_DATA(control), sizeof(came));
      arrival.to = AddressOf(came.ipi6_addr);
      arrival.unicast = !IN6_IS_ADDR_MULTICAST(&came.ipi6_addr);
      arrival.interface_index = static_cast<int>(came.ipi6_ifindex);
    }
  }
  return arrival;
}

// Adds a control message to those of `message`, which are in `buffer`.
template <typename Value>
void AddControl(const Value& value, int level, int type, msghdr& message, ControlBuffer& buffer) {
  if (message.msg_controllen == 0) {
    buffer = {};
    message.msg_control = buffer.bytes;
  }
  auto* const control = reinterpret_cast<cmsghdr*>(buffer.bytes + message.msg_controllen);
  message.msg_controllen += CMSG_SPACE(sizeof(value));
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof(value));
  std::memcpy(CMSG_DATA(control), &value, sizeof(value));
}

void SetSource(const IpAddress& from, int interface_index, msghdr& message, ControlBuffer& buffer) {
  const SocketAddress address(IpEndpoint{from, 0});
  if (address.family() == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address.get(), sizeof(v4));
    in_pktinfo source = {};
    source.ipi_spec_dst = v4.sin_addr;  // No interface: the answer goes where the route says.
    AddControl(source, IPPROTO_IP, IP_PKTINFO, message, buffer);
  } else {
    sockaddr_in6 v6;
    std::memcpy(&v6, address.get(), sizeof(v6));
    in6_pktinfo source = {};
    source.ipi6_addr = v6.sin6_addr;
    if (IsLinkLocal(from)) source.ipi6_ifindex = interface_index;
    AddControl(source, IPPROTO_IPV6, IPV6_PKTINFO, message, buffer);
  }
}

// What is still to be sent: the datagrams from one on, and what of that one has gone.
struct Unsent {
  absl::Span<const OutgoingDatagram> datagrams;
  size_t offset = 0;

  // What one message takes, at the most.
  absl::string_view Next(bool segmented) const {
    const OutgoingDatagram& datagram = datagrams.front();
    const absl::string_view rest = datagram.bytes.substr(offset);
    const size_t segment = datagram.segment_bytes;
    if (segment == 0) return rest;
    if (!segmented) return rest.substr(0, segment);
    return rest.substr(
        0, segment * std::clamp<size_t>(kSegmentedBytesAtOnce / segment, 1, kSegmentsAtOnce));
  }

  void Remove(absl::string_view sent) {
    offset += sent.size();
    if (offset < datagrams.front().bytes.size()) return;
    datagrams.remove_prefix(1);
    offset = 0;
  }
};

bool IsSegmented(const OutgoingDatagram& datagram, absl::string_view bytes) {
  return datagram.segment_bytes != 0 && bytes.size() > datagram.segment_bytes;
}

}  // namespace

struct ReceiveBatch::Slots {
  Slots(size_t count, size_t max_bytes)
      : max_bytes(max_bytes),
        bytes(count * max_bytes),
        messages(count),
        vectors(count),
        senders(count),
        controls(count) {
    Reset(count);
  }

  // Undoes what a receive call wrote into the first `used` headers.
  void Reset(size_t used) {
    for (size_t i = 0; i < used; ++i) {
      vectors[i] = {bytes.data() + i * max_bytes, max_bytes};
      msghdr& header = messages[i].msg_hdr;
      header = {};
      header.msg_name = &senders[i];
      header.msg_namelen = sizeof(senders[i]);
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].bytes;
      header.msg_controllen = sizeof(controls[i].bytes);
    }
  }

  const size_t max_bytes;
  size_t used = 0;  // By the last receive call.
  std::vector<char> bytes;
  std::vector<mmsghdr> messages;
  std::vector<iovec> vectors;
  std::vector<sockaddr_storage> senders;
  std::vector<ControlBuffer> controls;
};

ReceiveBatch::ReceiveBatch(size_t count, size_t max_bytes)
    : slots_(std::make_unique<Slots>(count, max_bytes)) {
  datagrams_.reserve(count);
}

ReceiveBatch::~ReceiveBatch() = default;

absl::StatusOr<UdpSocket> UdpSocket::Open(const IpEndpoint& local, int interface_index) {
  const SocketAddress address(local, interface_index);
  UniqueFd fd(socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.is_open()) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't open a UDP socket for ", local.Format()));
  }
  RETURN_IF_ERROR(SetOptions(fd.get(), address.family()));
  if (bind(fd.get(), address.get(), address.size()) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("can't listen on UDP ", local.Format()));
  }
  ASSIGN_OR_RETURN(const IpEndpoint bound, LocalAddressOf(fd.get()));
  const int none = 0;
  const bool has_segmentation =
      setsockopt(fd.get(), SOL_UDP, UDP_SEGMENT, &none, sizeof(none)) == 0;
  return UdpSocket(std::move(fd), bound, has_segmentation);
}

absl::Status UdpSocket::ReserveReceiveBuffer(int bytes) {
  return ReserveBuffer(fd_.get(), local_, kReceiveBuffer, bytes);
}

absl::Status UdpSocket::ReserveSendBuffer(int bytes) {
  return ReserveBuffer(fd_.get(), local_, kSendBuffer, bytes);
}

absl::Status UdpSocket::Receive(ReceiveBatch& batch) {
  ReceiveBatch::Slots& slots = *batch.slots_;
  slots.Reset(std::exchange(slots.used, 0));
  batch.datagrams_.clear();
  int count;
  do {
    count =
        recvmmsg(fd_.get(), slots.messages.data(), slots.messages.size(), MSG_DONTWAIT, nullptr);
  } while (count < 0 && errno == EINTR);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return absl::OkStatus();
    return absl::ErrnoToStatus(errno, absl::StrCat("can't receive on UDP ", local_.Format()));
  }
  slots.used = static_cast<size_t>(count);
  for (int i = 0; i < count; ++i) {
    msghdr& header = slots.messages[i].msg_hdr;
    const auto from =
        EndpointOf(reinterpret_cast<const sockaddr*>(&slots.senders[i]), header.msg_namelen);
    if (!from.ok()) continue;
    const Arrival arrival = ArrivalOf(header);
    batch.datagrams_.push_back(Datagram{
        .bytes =
            absl::string_view(slots.bytes.data() + i * slots.max_bytes, slots.messages[i].msg_len),
        .from = *from,
        .to = arrival.to.value_or(local_.address),
        .interface_index = arrival.interface_index,
        .unicast = arrival.unicast,
        .truncated = (header.msg_flags & MSG_TRUNC) != 0});
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> UdpSocket::Send(absl::Span<const OutgoingDatagram> datagrams) {
  Unsent unsent{datagrams};
  bool segmented = has_segmentation_;
  while (!unsent.datagrams.empty()) {
    // Only the elements in use are written: most calls send one datagram.
    std::array<mmsghdr, kSendAtOnce> messages;
    std::array<iovec, kSendAtOnce> vectors;
    std::array<ControlBuffer, kSendAtOnce> controls;
    std::vector<SocketAddress> receivers;
    receivers.reserve(std::min(kSendAtOnce, unsent.datagrams.size()));
    const IpEndpoint* last_receiver = nullptr;
    size_t wanted = 0;
    bool first_is_segmented = false;
    for (Unsent rest = unsent; wanted < kSendAtOnce && !rest.datagrams.empty(); ++wanted) {
      const OutgoingDatagram& datagram = rest.datagrams.front();
      const absl::string_view bytes = rest.Next(segmented);
      if (last_receiver != &datagram.to) {
        receivers.emplace_back(datagram.to, datagram.interface_index);
        last_receiver = &datagram.to;
      }
      // The kernel only reads: iovec and msg_name have no const form.
      vectors[wanted] = {const_cast<char*>(bytes.data()), bytes.size()};
      msghdr& header = messages[wanted].msg_hdr;
      header = {};
      header.msg_name = const_cast<sockaddr*>(receivers.back().get());
      header.msg_namelen = receivers.back().size();
      header.msg_iov = &vectors[wanted];
      header.msg_iovlen = 1;
      if (datagram.from.has_value()) {
        SetSource(*datagram.from, datagram.interface_index, header, controls[wanted]);
      }
      if (IsSegmented(datagram, bytes)) {
        AddControl(static_cast<uint16_t>(datagram.segment_bytes), SOL_UDP, UDP_SEGMENT, header,
                   controls[wanted]);
        if (wanted == 0) first_is_segmented = true;
      }
      rest.Remove(bytes);
    }
    int count;
    do {
      count = sendmmsg(fd_.get(), messages.data(), wanted, MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    const size_t sent = datagrams.size() - unsent.datagrams.size();
    if (count < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return sent;
      if (first_is_segmented && (errno == EIO || errno == EINVAL || errno == EMSGSIZE)) {
        // EIO: the network card can't checksum. EINVAL: the way there takes no datagram of this
        // length in one piece.
        if (errno == EIO) has_segmentation_ = false;
        segmented = false;
        continue;
      }
      if (sent > 0) return sent;
      return absl::ErrnoToStatus(errno, absl::StrCat("can't send from UDP ", local_.Format(),
                                                     " to ", datagrams.front().to.Format()));
    }
    // Fewer than asked: what stopped it is reported by the next try.
    for (int i = 0; i < count; ++i) unsent.Remove(unsent.Next(segmented));
  }
  return datagrams.size();
}

}  // namespace autopxe::agent
