#include "common/runtime/exit_code.h"

#include <cstdio>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace autopxe {

std::string FormatFailure(absl::string_view program, const absl::Status& status) {
  std::string line = absl::StrCat(program, ": ");
  for (const char c : status.message()) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isprint(byte)) {
      line.push_back(c);
    } else {
      absl::StrAppendFormat(&line, "\\x%02x", byte);
    }
  }
  line.push_back('\n');
  return line;
}

int Fail(absl::string_view program, ExitCode code, const absl::Status& status) {
  std::fputs(FormatFailure(program, status).c_str(), stderr);
  return code;
}

}  // namespace autopxe
