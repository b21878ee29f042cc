#pragma once

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace autopxe {

// The variable that says how a host's iPXE leaves for the local disk, since firmware differs. Set
// like any other: for all hosts, an agent's, a group's or one.
inline constexpr char kLocalBoot[] = "local-boot";

enum class LocalBoot {
  // "exit", and what holds where nothing is set: back to the firmware, which goes on with its next
  // boot option. UEFI is told that iPXE failed, since it would take a success for the end of its
  // list (OVMF then opens its set-up screen).
  kExit,
  // "exit-ok": back to the firmware without an error on UEFI too, for one that does nothing more
  // after an error.
  kExitOk,
  // "sanboot": iPXE itself boots the first disk, for firmware that does not go on; what can't be
  // booted so goes on as kExit.
  kSanBoot,
};

// The values of that variable, in the order above.
absl::Span<const absl::string_view> LocalBootValues();

// Null if `value` is none of them.
absl::optional<LocalBoot> ParseLocalBoot(absl::string_view value);

}  // namespace autopxe
