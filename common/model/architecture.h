#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe {

// What a kernel runs on.
enum class Architecture { kUnknown, kI386, kX86_64, kArm32, kArm64, kRiscv64 };

// "x86_64": iPXE's own words (its ${buildarch}). Empty for kUnknown.
absl::string_view FormatArchitecture(Architecture architecture);

// Its inverse; nothing for any other text.
absl::optional<Architecture> ParseArchitecture(absl::string_view text);

}  // namespace autopxe
