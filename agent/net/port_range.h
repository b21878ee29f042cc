#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe::agent {

// Ports from `first` to `last`, both included; written `50000-50999`, or `50000` for one.
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;

  // Errors: INVALID_ARGUMENT, with the text and what is expected.
  static absl::StatusOr<PortRange> Parse(absl::string_view text);
  std::string Format() const;

  friend bool operator==(const PortRange&, const PortRange&) = default;
};

}  // namespace autopxe::agent
