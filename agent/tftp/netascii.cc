#include "agent/tftp/netascii.h"

namespace autopxe::agent::tftp {

size_t EncodeNetascii(absl::string_view source, absl::Span<char> out, NetasciiPosition& position) {
  size_t written = 0;
  size_t used = 0;
  while (written < out.size()) {
    if (position.pending.has_value()) {
      out[written++] = *position.pending;
      position.pending.reset();
      continue;
    }
    if (used == source.size()) break;
    const char c = source[used++];
    if (c == '\n') {
      out[written++] = '\r';
      position.pending = '\n';
    } else if (c == '\r') {
      out[written++] = '\r';
      position.pending = '\0';
    } else {
      out[written++] = c;
    }
  }
  position.offset += used;
  return written;
}

}  // namespace autopxe::agent::tftp
