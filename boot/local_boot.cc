#include "boot/local_boot.h"

#include <algorithm>
#include <iterator>

namespace autopxe {
namespace {

constexpr absl::string_view kValues[] = {"exit", "exit-ok", "sanboot"};

}  // namespace

absl::Span<const absl::string_view> LocalBootValues() { return kValues; }

absl::optional<LocalBoot> ParseLocalBoot(absl::string_view value) {
  const auto* found = std::find(std::begin(kValues), std::end(kValues), value);
  if (found == std::end(kValues)) return {};
  return static_cast<LocalBoot>(found - std::begin(kValues));
}

}  // namespace autopxe
