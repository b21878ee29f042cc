#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace autopxe {

// What a daemon ends with. A service manager that restarts what failed need not do so after kUsage.
enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2 };

// The line that says why `program` does not run: "autopxe-agent: <message>\n". Whatever a
// configuration holds, it is one line of printable ASCII: every other byte of the message is
// written as `\xNN`.
std::string FormatFailure(absl::string_view program, const absl::Status& status);

// Writes that line to stderr. Returns `code`.
int Fail(absl::string_view program, ExitCode code, const absl::Status& status);

}  // namespace autopxe
