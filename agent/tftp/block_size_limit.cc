#include "agent/tftp/block_size_limit.h"

#include <algorithm>
#include <cstddef>

#include "agent/tftp/options.h"
#include "agent/tftp/packet.h"

namespace autopxe::agent::tftp {

uint16_t BlockSizeLimit::For(const Datagram& request, EventLoop::TimePoint now) {
  if (set_.has_value()) return *set_;
  const bool is_v4 = request.from.address.is_v4();
  const size_t mtu = mtus_.Find(request.interface_index, now).value_or(UsualMtu(is_v4));
  const size_t payload = UdpPayloadIn(mtu, is_v4);
  const size_t fitting = payload - std::min(payload, kDataHeaderBytes);
  // An interface with less than RFC 1350's blocks has to fragment those, too.
  return static_cast<uint16_t>(
      std::clamp<size_t>(fitting, NegotiatedOptions().block_size, kMaxBlockSize));
}

}  // namespace autopxe::agent::tftp
