#include "agent/tftp/refusals.h"

#include <chrono>
#include <string>

#include "agent/tftp/transfer.h"

namespace autopxe::agent::tftp {
namespace {

constexpr size_t kStraysAnswered = 16;
constexpr auto kStraysAnsweredIn = std::chrono::seconds(10);

// Of an ERROR, beside its text.
constexpr size_t kErrorBytes = 5;

}  // namespace

void Refusals::Refuse(UdpSocket& socket, const Datagram& datagram, ErrorCode code,
                      absl::string_view text) {
  Send(socket, datagram, code, text, kAmplification * datagram.bytes.size());
}

void Refusals::RefuseRead(UdpSocket& socket, const Datagram& datagram, const ReadRequest& request,
                          ErrorCode code, absl::string_view text) {
  Send(socket, datagram, code, text,
       request.options.empty() ? kErrorBytes + kMaxErrorTextBytes
                               : kAmplification * datagram.bytes.size());
}

void Refusals::RefuseStray(UdpSocket& socket, const Datagram& datagram, EventLoop::TimePoint now) {
  if (now >= strays_end_at_) {
    strays_end_at_ = now + kStraysAnsweredIn;
    strays_answered_ = 0;
  }
  if (strays_answered_ >= kStraysAnswered) return;
  ++strays_answered_;
  Refuse(socket, datagram, ErrorCode::kUnknownTransferId, "unknown transfer id");
}

void Refusals::Send(UdpSocket& socket, const Datagram& datagram, ErrorCode code,
                    absl::string_view text, size_t most_bytes) {
  if (most_bytes < kErrorBytes) return;
  const std::string packet = BuildError(code, text.substr(0, most_bytes - kErrorBytes));
  outbox_.Add(socket, {.bytes = packet,
                       .to = datagram.from,
                       .from = datagram.to,
                       .interface_index = datagram.interface_index});
}

}  // namespace autopxe::agent::tftp
