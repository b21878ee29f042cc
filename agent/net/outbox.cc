#include "agent/net/outbox.h"

#include <cassert>
#include <cstring>

#include "absl/status/statusor.h"

namespace autopxe::agent {
namespace {

void SendAll(UdpSocket& socket, absl::Span<const OutgoingDatagram> datagrams) {
  while (!datagrams.empty()) {
    const absl::StatusOr<size_t> sent = socket.Send(datagrams);
    // One that can't be sent does not keep the others back.
    const size_t done = sent.ok() ? *sent : 1;
    if (done == 0) return;
    datagrams.remove_prefix(done);
  }
}

}  // namespace

absl::Span<char> Outbox::Room(size_t bytes) {
  assert(bytes <= buffer_.size());
  if (buffer_.size() - used_ < bytes) Flush();
  return absl::MakeSpan(buffer_).subspan(used_, bytes);
}

void Outbox::Add(UdpSocket& socket, OutgoingDatagram datagram) {
  if (datagram.bytes.data() != buffer_.data() + used_) {
    const absl::Span<char> room = Room(datagram.bytes.size());
    std::memcpy(room.data(), datagram.bytes.data(), datagram.bytes.size());
    datagram.bytes = absl::string_view(room.data(), datagram.bytes.size());
  }
  used_ += datagram.bytes.size();
  datagrams_.push_back(datagram);
  if (runs_.empty() || runs_.back().socket != &socket) runs_.push_back({&socket, 0});
  runs_.back().end = datagrams_.size();
}

void Outbox::Flush() {
  size_t begin = 0;
  for (const Run& run : runs_) {
    SendAll(*run.socket, absl::MakeConstSpan(datagrams_).subspan(begin, run.end - begin));
    begin = run.end;
  }
  runs_.clear();
  datagrams_.clear();
  used_ = 0;
}

}  // namespace autopxe::agent
