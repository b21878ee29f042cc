#include "agent/tftp/open_transfer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/status/status_macros.h"

namespace autopxe::agent::tftp {

OpenTransfer::OpenTransfer(const Shared& shared, UdpSocket& socket, const Peer& peer,
                           ReadRequest request, size_t request_bytes, ResolvedContent content,
                           const Limits& limits, std::function<void()> on_end)
    : loop_(shared.loop),
      outbox_(shared.outbox),
      socket_(socket),
      peer_(peer),
      request_(std::move(request)),
      content_(std::move(content)),
      on_end_(std::move(on_end)),
      started_(EventLoop::Now()),
      options_(Negotiate(request_.options, TransferSize(*content_.content, request_.mode),
                         limits.options)),
      reader_(content_.content, request_.mode, options_.block_size, shared.chunks),
      transfer_(options_, request_bytes, limits.transfer,
                {.send_blocks = [this](uint64_t first,
                                       uint64_t count) { return SendBlocks(first, count); },
                 .send_packet = [this](absl::string_view packet) { Send(packet, 0); }}) {}

OpenTransfer::~OpenTransfer() {
  if (timer_.has_value()) loop_.CancelTimer(*timer_);
}

void OpenTransfer::Start() {
  transfer_.Start(started_);
  Settle();
}

void OpenTransfer::Repeat() {
  transfer_.OnRepeatedRequest(EventLoop::Now());
  Settle();
}

bool OpenTransfer::OnPacket(absl::string_view bytes, EventLoop::TimePoint now) {
  const absl::StatusOr<Packet> packet = ParsePacket(bytes);
  if (!packet.ok()) return true;
  if (const auto* acknowledgement = std::get_if<Acknowledgement>(&*packet)) {
    transfer_.OnAcknowledgement(acknowledgement->number, now);
    reader_.Forget(transfer_.acknowledged_blocks());
  } else if (const auto* error = std::get_if<ErrorPacket>(&*packet)) {
    transfer_.OnError(*error);
  }
  return Settle();
}

void OpenTransfer::OnTimer() {
  timer_.reset();
  transfer_.OnTimeout(EventLoop::Now());
  outbox_.Flush();
  Settle();
}

bool OpenTransfer::Settle() {
  if (!transfer_.is_open()) {
    // It may destroy this object, and with it the function that runs.
    const std::function<void()> on_end = std::exchange(on_end_, nullptr);
    if (on_end != nullptr) on_end();
    return false;
  }
  if (timer_.has_value() && timer_->first <= transfer_.deadline()) return true;
  if (timer_.has_value()) loop_.CancelTimer(*timer_);
  timer_ = loop_.StartTimer(transfer_.deadline(), [this] { OnTimer(); });
  return true;
}

absl::StatusOr<uint64_t> OpenTransfer::SendBlocks(uint64_t first, uint64_t count) {
  const size_t block_size = options_.block_size;
  const size_t packet_bytes = reader_.packet_bytes();
  const uint64_t most = std::max<uint64_t>(1, kBurstBytes / packet_bytes);
  uint64_t sent = 0;
  while (count > 0) {
    const uint64_t wanted = std::min(count, most);
    const absl::Span<char> packets = outbox_.Room(wanted * packet_bytes);
    ASSIGN_OR_RETURN(const uint64_t bytes, reader_.Read(first, wanted, packets));
    const uint64_t blocks = std::min(wanted, bytes / block_size + 1);
    for (uint64_t i = 0; i < blocks; ++i) {
      WriteDataHeader(Transfer::WireNumber(first + i), packets.data() + i * packet_bytes);
    }
    Send(absl::string_view(packets.data(), bytes + blocks * kDataHeaderBytes),
         blocks > 1 ? packet_bytes : 0);
    sent += bytes;
    if (bytes < wanted * block_size) break;
    first += wanted;
    count -= wanted;
  }
  return sent;
}

void OpenTransfer::Send(absl::string_view bytes, size_t segment_bytes) {
  // What the kernel does not take is lost like any packet: it is sent again when the peer does not
  // answer, and forgotten in the end. A socket that is bound to an address needs no other.
  OutgoingDatagram datagram{.bytes = bytes,
                            .to = peer_.endpoint,
                            .interface_index = peer_.interface_index,
                            .segment_bytes = segment_bytes};
  if (socket_.local().address.is_unspecified()) datagram.from = peer_.asked_at;
  outbox_.Add(socket_, datagram);
}

}  // namespace autopxe::agent::tftp
