// A Range field. The first byte chooses the size of the content that it is asked of.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <variant>

#include "agent/http/range.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using autopxe::Require;
  if (size == 0) return 0;
  constexpr uint64_t kMost = std::numeric_limits<int64_t>::max();
  constexpr uint64_t kSizes[] = {0, 1, 10, 1234, uint64_t{1} << 31, uint64_t{1} << 32, kMost};
  const uint64_t content = kSizes[bytes[0] % std::size(kSizes)];
  const auto requested =
      autopxe::agent::ParseRange({reinterpret_cast<const char*>(bytes) + 1, size - 1}, content);
  if (const auto* range = std::get_if<autopxe::agent::ByteRange>(&requested)) {
    Require(range->length > 0, "a range has a byte");
    Require(range->first < content, "a range begins inside");
    Require(range->length <= content - range->first, "a range ends inside");
    autopxe::agent::FormatContentRange(*range, content);
  }
  return 0;
}
