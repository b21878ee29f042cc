#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace autopxe {

// `text` between double quotes as a message, a log or a terminal can show it, wherever it came
// from: printable ASCII as it is, anything else, quotes and backslashes escaped as in C. Text of
// more than 128 octets is cut and followed by "...".
std::string Quote(absl::string_view text);

}  // namespace autopxe
