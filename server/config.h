#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/model/ip_endpoint.h"
#include "common/runtime/logging.h"
#include "common/runtime/program_options.h"

namespace autopxe::server {

// The server's options, checked.
struct Config {
  std::vector<IpEndpoint> listen;  // One at least.
  std::string database;            // A path.
  LogLevel log_level = LogLevel::kInfo;
  // How long what was changed can still be told to whoever resumes a watch. Zero: for ever.
  absl::Duration keep_history;
  absl::Duration shutdown_grace;  // How long calls may take to end once the server is told to stop.
};

// What the command line, the environment and the file ask for.
struct Invocation {
  Config config;
  std::vector<OptionValue> options;   // The same as text, option by option.
  absl::optional<std::string> print;  // Set for --help and --version: print it instead of running.
};

// See ProgramOptions. Errors: INVALID_ARGUMENT and NOT_FOUND, naming where the value stands.
absl::StatusOr<Invocation> ParseInvocation(absl::Span<const std::string> args,
                                           const ProgramOptions::Environment& environment);
// With the process's environment.
absl::StatusOr<Invocation> ParseInvocation(absl::Span<const std::string> args);

}  // namespace autopxe::server
