#include "common/model/architecture.h"

namespace autopxe {
namespace {

constexpr Architecture kAll[] = {Architecture::kUnknown, Architecture::kI386,
                                 Architecture::kX86_64,  Architecture::kArm32,
                                 Architecture::kArm64,   Architecture::kRiscv64};

}  // namespace

absl::string_view FormatArchitecture(Architecture architecture) {
  switch (architecture) {
    case Architecture::kI386:
      return "i386";
    case Architecture::kX86_64:
      return "x86_64";
    case Architecture::kArm32:
      return "arm32";
    case Architecture::kArm64:
      return "arm64";
    case Architecture::kRiscv64:
      return "riscv64";
    case Architecture::kUnknown:
      break;
  }
  return "";
}

absl::optional<Architecture> ParseArchitecture(absl::string_view text) {
  for (const Architecture architecture : kAll) {
    if (FormatArchitecture(architecture) == text) return architecture;
  }
  return absl::nullopt;
}

}  // namespace autopxe
