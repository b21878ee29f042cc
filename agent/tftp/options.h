#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "absl/types/optional.h"
#include "agent/tftp/packet.h"

// What the options of a read request (RFCs 2347, 2348, 2349, 7440) are answered with. Pure.
namespace autopxe::agent::tftp {

// RFC 2348, of a DATA packet's payload, in bytes.
inline constexpr uint16_t kMinBlockSize = 8;
inline constexpr uint16_t kMaxBlockSize = 65464;

struct OptionLimits {
  // A larger block that is asked for is answered with this.
  uint16_t max_block_size = kMaxBlockSize;

  // Blocks under way at once: a larger window that is asked for is answered with this.
  uint16_t max_window_size = 64;

  // Memory that a window may take in a socket's buffer, 208 KiB by default on Linux, at the client
  // as here: more is lost on arrival, by the window itself. A datagram is charged what its buffer
  // takes, a power of two that also holds some 400 bytes of headers (seen: 8 KiB blocks are charged
  // 16 KiB, and 16 of them at once are never all there).
  uint32_t max_window_memory = 160 * 1024;

  // Between a packet and its repetition. RFC 2349 allows 255 s; a longer one than this is not
  // accepted, for it would hold a transfer open for as long that nobody waits for.
  std::chrono::seconds max_timeout{30};
};

// How a transfer is to be done.
struct NegotiatedOptions {
  uint16_t block_size = 512;
  uint16_t window_size = 1;
  absl::optional<std::chrono::seconds> timeout;

  // What is answered, in the order and the spelling of the request. Empty: the transfer begins with
  // DATA, as RFC 2347 says.
  std::vector<Option> acknowledged;

  // The request had options, and none is acknowledged.
  bool all_refused = false;
};

// `size` is the length of what is sent; unset if that is not known beforehand (netascii): `tsize`
// is not answered then.
//
// An option is left out, as RFC 2347 provides, when it is unknown, when its value is not a decimal
// number in the range of its RFC, or when it is given twice (nobody knows which was meant). Nothing
// is ever answered outside its range or above what was asked, and `tsize` with the real size only.
NegotiatedOptions Negotiate(const std::vector<Option>& offered, absl::optional<uint64_t> size,
                            const OptionLimits& limits);

// Whether iPXE itself asks: its read requests have exactly `blksize 1432`, then `tsize 0`
// (iPXE 1.0.0+git-20190125, BIOS and UEFI). OVMF sends tsize first.
bool IsFromIpxe(const ReadRequest& request);

}  // namespace autopxe::agent::tftp
