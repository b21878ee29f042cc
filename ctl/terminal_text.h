#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace autopxe::ctl {

// Text as a terminal may get it: printable ASCII as it is, every other byte as `\xNN`, a backslash
// doubled. What others wrote (names, claims, versions, error messages) can then neither move the
// cursor nor set a title, nor add a line.
std::string TerminalText(absl::string_view text);

// The same for a message, whose author has escaped what it quotes: backslashes stay as they are.
std::string TerminalMessage(absl::string_view text);

}  // namespace autopxe::ctl
