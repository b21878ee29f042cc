#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

// Netascii as TFTP writes it (RFC 1350, RFC 764): LF is sent as CR LF, and CR as CR NUL. Pure.
namespace autopxe::agent::tftp {

// Where an encoding has got to; a value, so that a block can be encoded once more.
struct NetasciiPosition {
  uint64_t offset = 0;           // Of the next byte of the source.
  absl::optional<char> pending;  // The second byte of a pair whose first ended the last piece.
};

// Encodes from `source`, which is what stands at position.offset, until it is used up or `out` is
// full; moves `position` on. Returns how many bytes of `out` were written.
size_t EncodeNetascii(absl::string_view source, absl::Span<char> out, NetasciiPosition& position);

}  // namespace autopxe::agent::tftp
