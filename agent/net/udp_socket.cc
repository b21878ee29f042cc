#include "agent/net/udp_socket.h"

#include <netinet/in.h>
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

// The larger of the two: in_pktinfo or in6_pktinfo.
constexpr size_t kControlBytes = CMSG_SPACE(sizeof(in6_pktinfo));

constexpr size_t kSendAtOnce = 64;

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

template <typename PacketInfo>
void SetSource(const PacketInfo& source, int level, int type, msghdr& message,
               ControlBuffer& buffer) {
  buffer = {};
  message.msg_control = buffer.bytes;
  message.msg_controllen = CMSG_SPACE(sizeof(source));
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof(source));
  std::memcpy(CMSG_DATA(control), &source, sizeof(source));
}

void SetSource(const IpAddress& from, int interface_index, msghdr& message, ControlBuffer& buffer) {
  const SocketAddress address(IpEndpoint{from, 0});
  if (address.family() == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address.get(), sizeof(v4));
    in_pktinfo source = {};
    source.ipi_spec_dst = v4.sin_addr;  // No interface: the answer goes where the route says.
    SetSource(source, IPPROTO_IP, IP_PKTINFO, message, buffer);
  } else {
    sockaddr_in6 v6;
    std::memcpy(&v6, address.get(), sizeof(v6));
    in6_pktinfo source = {};
    source.ipi6_addr = v6.sin6_addr;
    if (IsLinkLocal(from)) source.ipi6_ifindex = interface_index;
    SetSource(source, IPPROTO_IPV6, IPV6_PKTINFO, message, buffer);
  }
}

}  // namespace

struct ReceiveBatch::Slots {
  Slots(size_t count, size_t max_bytes)
      : max_bytes(max_bytes),
        bytes(count * max_bytes),
        messages(count),
        vectors(count),
        senders(count),
        controls(count) {}

  // Undoes what the last receive call wrote into the headers.
  void Reset() {
    for (size_t i = 0; i < messages.size(); ++i) {
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
  return UdpSocket(std::move(fd), bound);
}

absl::Status UdpSocket::ReserveReceiveBuffer(int bytes) {
  // FORCE goes beyond net.core.rmem_max, with CAP_NET_ADMIN only.
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == 0) {
    return absl::OkStatus();
  }
  if (setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes)) != 0) {
    return absl::ErrnoToStatus(errno, "can't set SO_RCVBUF");
  }
  int doubled = 0;
  socklen_t size = sizeof(doubled);
  if (getsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &doubled, &size) != 0) {
    return absl::ErrnoToStatus(errno, "can't read SO_RCVBUF");
  }
  const int got = doubled / 2;  // socket(7): the kernel doubles it, for its own bookkeeping.
  if (got >= bytes) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the receive buffer of UDP ", local_.Format(), " has ", got, " bytes instead of ", bytes,
      ": many requests at once would be lost; set sysctl net.core.rmem_max=", bytes,
      " or grant CAP_NET_ADMIN"));
}

absl::Status UdpSocket::Receive(ReceiveBatch& batch) {
  ReceiveBatch::Slots& slots = *batch.slots_;
  slots.Reset();
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
  size_t sent = 0;
  while (sent < datagrams.size()) {
    const auto part = datagrams.subspan(sent, kSendAtOnce);
    // Only the elements in use are written: most calls send one datagram.
    std::array<mmsghdr, kSendAtOnce> messages;
    std::array<iovec, kSendAtOnce> vectors;
    std::array<ControlBuffer, kSendAtOnce> controls;
    std::vector<SocketAddress> receivers;
    receivers.reserve(part.size());
    for (size_t i = 0; i < part.size(); ++i) {
      const OutgoingDatagram& datagram = part[i];
      receivers.emplace_back(datagram.to, datagram.interface_index);
      // The kernel only reads: iovec and msg_name have no const form.
      vectors[i] = {const_cast<char*>(datagram.bytes.data()), datagram.bytes.size()};
      msghdr& header = messages[i].msg_hdr;
      header = {};
      header.msg_name = const_cast<sockaddr*>(receivers[i].get());
      header.msg_namelen = receivers[i].size();
      header.msg_iov = &vectors[i];
      header.msg_iovlen = 1;
      if (datagram.from.has_value()) {
        SetSource(*datagram.from, datagram.interface_index, header, controls[i]);
      }
    }
    int count;
    do {
      count = sendmmsg(fd_.get(), messages.data(), part.size(), MSG_DONTWAIT);
    } while (count < 0 && errno == EINTR);
    if (count < 0) {
      if (sent > 0 || errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) return sent;
      return absl::ErrnoToStatus(errno, absl::StrCat("can't send from UDP ", local_.Format(),
                                                     " to ", part[0].to.Format()));
    }
    sent += count;
    // Fewer than asked: what stopped it is reported by the next try.
  }
  return sent;
}

}  // namespace autopxe::agent
