// TFTP's packets and what their options are answered with.
#include <cstddef>
#include <cstdint>
#include <variant>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "agent/tftp/options.h"
#include "agent/tftp/packet.h"
#include "tests/fuzz/require.h"

namespace autopxe::agent::tftp {
namespace {

void CheckAnswer(const ReadRequest& request) {
  const OptionLimits limits;
  const NegotiatedOptions agreed = Negotiate(request.options, 173792, limits);
  Require(agreed.block_size >= 8 && agreed.block_size <= 65464, "a block size of RFC 2348");
  Require(agreed.window_size >= 1 && agreed.window_size <= limits.max_window_size,
          "a window that is not above the limit");
  Require(!agreed.timeout.has_value() || agreed.timeout->count() >= 1, "a time-out of RFC 2349");
  Require(agreed.acknowledged.size() <= request.options.size(), "only what was asked is answered");
  for (const Option& answer : agreed.acknowledged) {
    uint64_t answered;
    Require(absl::SimpleAtoi(answer.value, &answered), "a number is answered");
    if (!absl::EqualsIgnoreCase(answer.name, "tsize")) continue;
    Require(answered == 173792, "the real size is answered");
  }
  // Options that fit a request fit its answer, so this must not end the process.
  BuildOptionAcknowledgement(agreed.acknowledged);
  IsFromIpxe(request);
}

void CheckPacket(absl::string_view bytes) {
  const absl::StatusOr<Packet> packet = ParsePacket(bytes);
  if (!packet.ok()) {
    Require(BuildError(ErrorCode::kIllegalOperation, packet.status().message()).size() <=
                5 + kMaxErrorTextBytes,
            "an error's text is cut");
    return;
  }
  if (const auto* request = std::get_if<ReadRequest>(&*packet)) {
    Require(IsRequest(bytes), "a request is told by its beginning");
    const absl::StatusOr<Packet> again = ParsePacket(BuildReadRequest(*request));
    Require(again.ok() && *again == *packet, "a request that is built again is the same");
    CheckAnswer(*request);
  } else if (const auto* acknowledged = std::get_if<OptionAcknowledgement>(&*packet)) {
    const absl::StatusOr<Packet> again =
        ParsePacket(BuildOptionAcknowledgement(acknowledged->options));
    Require(again.ok() && *again == *packet, "an OACK that is built again is the same");
  } else if (const auto* acknowledgement = std::get_if<Acknowledgement>(&*packet)) {
    const absl::StatusOr<Packet> again = ParsePacket(BuildAcknowledgement(acknowledgement->number));
    Require(again.ok() && *again == *packet, "an ACK that is built again is the same");
  }
}

}  // namespace
}  // namespace autopxe::agent::tftp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  autopxe::agent::tftp::CheckPacket({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
