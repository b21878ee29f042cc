#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace autopxe::ctl {

// What autopxectl ends with, for scripts.
enum ExitCode {
  kExitOk = 0,
  kExitRefused = 1,      // The server refused.
  kExitUsage = 2,        // The command line, or the configuration file, can't be understood.
  kExitUnreachable = 3,  // No server answered, or agents did not serve in time what it accepted.
};

// An error of whoever typed the command line.
absl::Status UsageError(absl::string_view message);

ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace autopxe::ctl
