#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "agent/net/port_range.h"
#include "agent/tftp/serving_limits.h"
#include "common/model/ip_endpoint.h"
#include "common/model/name.h"
#include "common/runtime/logging.h"
#include "common/runtime/program_options.h"

namespace autopxe::agent {

// How an agent serves. What hosts boot is on the server.
struct Config {
  AgentId id;
  std::string server;         // "host:port".
  std::string rootfs_folder;  // Absolute.
  std::string loaders_folder;
  std::string files_folder;  // Of declared distros; empty: there is none.
  std::string state_folder;
  std::vector<IpEndpoint> tftp_listen;
  absl::optional<PortRange> tftp_ports;  // Unset: any.
  bool tftp_single_port = false;
  tftp::ServingLimits tftp_limits;
  std::vector<IpEndpoint> http_listen;
  absl::optional<IpAddress>
      advertise;  // Where hosts reach it; unset: the address at which they asked.
  bool start_script_for_ipxe = true;
  absl::Duration rescan_interval = absl::Minutes(1);
  LogLevel log_level = LogLevel::kInfo;
  // How long transfers may take to end once the agent is told to stop.
  absl::Duration shutdown_grace = absl::Seconds(30);

  friend bool operator==(const Config&, const Config&) = default;
};

// What to run with; or, for --help and --version, what to print instead.
struct ParsedConfig {
  absl::optional<Config> config;
  std::vector<OptionValue> options;  // The same as text, option by option.
  std::string print;
};

// Reads the arguments (without the program's name), the environment and the file that --config
// names. `host_name` is this machine's name: the id, unless one is given. Errors: INVALID_ARGUMENT,
// naming the option where it stands, its value, and what is expected; NOT_FOUND, UNAVAILABLE for
// the file.
absl::StatusOr<ParsedConfig> ParseConfig(absl::Span<const std::string> args,
                                         const ProgramOptions::Environment& environment,
                                         const std::string& host_name);

}  // namespace autopxe::agent
