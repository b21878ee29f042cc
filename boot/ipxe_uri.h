#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace autopxe {

// Percent-encoding as iPXE 1.0.0 does it for a setting of the type uristring (src/core/uri.c): what
// an interpreter of its scripts needs.
std::string DecodeUri(absl::string_view encoded);
std::string EncodeUri(absl::string_view text);

}  // namespace autopxe
