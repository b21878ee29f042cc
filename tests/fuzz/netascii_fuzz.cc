// Netascii: whatever the pieces in which it is encoded, it comes out the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "agent/tftp/netascii.h"
#include "tests/fuzz/require.h"

namespace autopxe::agent::tftp {
namespace {

// RFC 764, in one go.
std::string Encoded(absl::string_view source) {
  std::string encoded;
  for (const char c : source) {
    if (c == '\n') {
      encoded += "\r\n";
    } else {
      encoded += c;
      if (c == '\r') encoded += '\0';
    }
  }
  return encoded;
}

// The first byte says how long the pieces are.
void CheckPieces(absl::string_view input) {
  if (input.empty()) return;
  const size_t piece = static_cast<uint8_t>(input[0]) % 16 + 1;
  const absl::string_view source = input.substr(1);
  std::string encoded;
  NetasciiPosition position;
  while (true) {
    char out[16];
    const size_t written =
        EncodeNetascii(source.substr(position.offset), absl::MakeSpan(out, piece), position);
    Require(written <= piece, "no more is written than there is room for");
    Require(position.offset <= source.size(), "no more is read than there is");
    encoded.append(out, written);
    if (written < piece) break;
  }
  Require(encoded == Encoded(source), "the pieces are the whole");
}

}  // namespace
}  // namespace autopxe::agent::tftp

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  autopxe::agent::tftp::CheckPieces({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
