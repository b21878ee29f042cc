// The header of a kernel, which anybody may have put into the tree.
#include <cstddef>
#include <cstdint>

#include "agent/catalog/kernel_image.h"
#include "tests/fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  using autopxe::agent::ParseKernelImage;
  const absl::string_view prefix(reinterpret_cast<const char*>(bytes), size);
  const auto image = ParseKernelImage(prefix);
  autopxe::Require(image == ParseKernelImage(prefix), "a header always says the same");
  return 0;
}
