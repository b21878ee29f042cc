#include "ctl/terminal_text.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"

namespace autopxe::ctl {

std::string TerminalText(absl::string_view text) {
  return TerminalMessage(absl::StrReplaceAll(text, {{"\\", "\\\\"}}));
}

std::string TerminalMessage(absl::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (const char c : text) {
    if (c >= ' ' && c <= '~') {
      result += c;
    } else {
      absl::StrAppendFormat(&result, "\\x%02x", static_cast<unsigned char>(c));
    }
  }
  return result;
}

}  // namespace autopxe::ctl
