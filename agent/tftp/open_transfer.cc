#include "agent/tftp/open_transfer.h"

#include <utility>
#include <variant>

#include "common/status/status_macros.h"

namespace autopxe::agent::tftp {
namespace {

// Two servers that take each other for an intruder would otherwise send each other ERROR packets
// for ever.
constexpr int kIntrudersAnswered = 16;

}  // namespace

absl::StatusOr<std::unique_ptr<OpenTransfer>> OpenTransfer::Open(
    EventLoop& loop, Peer peer, ReadRequest request, ResolvedContent content, const Limits& limits,
    Buffers& buffers, std::function<void()> on_end) {
  ASSIGN_OR_RETURN(UdpSocket socket, UdpSocket::Open({peer.asked_at, 0}, peer.interface_index));
  std::unique_ptr<OpenTransfer> transfer(new OpenTransfer(loop, std::move(socket), std::move(peer),
                                                          std::move(request), std::move(content),
                                                          limits, buffers, std::move(on_end)));
  OpenTransfer* const self = transfer.get();
  ASSIGN_OR_RETURN(transfer->watch_,
                   loop.Watch(self->socket_.fd(), [self] { self->OnReadable(); }));
  return transfer;
}

OpenTransfer::OpenTransfer(EventLoop& loop, UdpSocket socket, Peer peer, ReadRequest request,
                           ResolvedContent content, const Limits& limits, Buffers& buffers,
                           std::function<void()> on_end)
    : loop_(loop),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      request_(std::move(request)),
      content_(std::move(content)),
      buffers_(buffers),
      on_end_(std::move(on_end)),
      started_(EventLoop::Now()),
      options_(Negotiate(request_.options, TransferSize(*content_.content, request_.mode),
                         limits.options)),
      reader_(content_.content, request_.mode, options_.block_size),
      transfer_(
          options_, limits.transfer,
          {.send_block = [this](uint64_t index) { return SendBlock(index); },
           .send_packet = [this](absl::string_view packet) { SendTo(peer_.endpoint, packet); }}) {}

OpenTransfer::~OpenTransfer() {
  if (watch_.has_value()) loop_.Unwatch(*watch_);
  if (timer_.has_value()) loop_.CancelTimer(*timer_);
}

void OpenTransfer::Start() {
  transfer_.Start(started_);
  Settle();
}

void OpenTransfer::Repeat() {
  transfer_.OnRepeatedRequest();
  Settle();
}

void OpenTransfer::OnReadable() {
  // An error on the socket is a packet lost; the timer goes on.
  if (socket_.Receive(buffers_.received).ok()) {
    for (const Datagram& datagram : buffers_.received.datagrams()) OnDatagram(datagram);
  }
  Settle();
}

void OpenTransfer::OnDatagram(const Datagram& datagram) {
  if (datagram.from != peer_.endpoint) {
    // RFC 1350, 4: the sender is told, and the transfer is not disturbed.
    if (datagram.from.port != 0 && intruders_answered_ < kIntrudersAnswered) {
      ++intruders_answered_;
      SendTo(datagram.from, BuildError(ErrorCode::kUnknownTransferId, "unknown transfer id"));
    }
    return;
  }
  const absl::StatusOr<Packet> packet = ParsePacket(datagram.bytes);
  if (!packet.ok()) return;
  if (const auto* acknowledgement = std::get_if<Acknowledgement>(&*packet)) {
    transfer_.OnAcknowledgement(acknowledgement->number, EventLoop::Now());
    reader_.Forget(transfer_.acknowledged_blocks());
  } else if (const auto* error = std::get_if<ErrorPacket>(&*packet)) {
    transfer_.OnError(*error);
  }
}

void OpenTransfer::OnTimer() {
  timer_.reset();
  transfer_.OnTimeout(EventLoop::Now());
  Settle();
}

void OpenTransfer::Settle() {
  if (!transfer_.is_open()) {
    // It may destroy this object, and with it the function that runs.
    const std::function<void()> on_end = std::exchange(on_end_, nullptr);
    if (on_end != nullptr) on_end();
    return;
  }
  if (timer_.has_value() && timer_->first <= transfer_.deadline()) return;
  if (timer_.has_value()) loop_.CancelTimer(*timer_);
  timer_ = loop_.StartTimer(transfer_.deadline(), [this] { OnTimer(); });
}

absl::StatusOr<size_t> OpenTransfer::SendBlock(uint64_t index) {
  std::vector<char>& packet = buffers_.packet;
  if (packet.size() < kDataHeaderBytes + options_.block_size) {
    packet.resize(kDataHeaderBytes + options_.block_size);
  }
  WriteDataHeader(Transfer::WireNumber(index), packet.data());
  ASSIGN_OR_RETURN(const size_t bytes,
                   reader_.Read(index, absl::MakeSpan(packet).subspan(kDataHeaderBytes)));
  SendTo(peer_.endpoint, absl::string_view(packet.data(), kDataHeaderBytes + bytes));
  return bytes;
}

void OpenTransfer::SendTo(const IpEndpoint& to, absl::string_view packet) {
  // What the kernel does not take is lost like any packet: it is sent again when the peer does not
  // answer, and forgotten in the end.
  socket_
      .Send({OutgoingDatagram{.bytes = packet, .to = to, .interface_index = peer_.interface_index}})
      .IgnoreError();
}

}  // namespace autopxe::agent::tftp
