#include "agent/config.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "agent/tftp/options.h"
#include "common/model/quote.h"
#include "common/runtime/server_address.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

constexpr char kDescription[] =
    "Answers the firmware of the hosts of one subnet by TFTP and HTTP, from a copy of the server's "
    "configuration "
    "that it keeps on disk: hosts boot with the server down.";

constexpr char kFooter[] = R"(Examples:
  autopxe-agent --server 10.77.0.2:7766 --rootfs /srv/rootfs
  autopxe-agent --config /etc/autopxe/agent.yaml

SIGHUP scans the rootfs tree, the loaders and the files again. SIGTERM and SIGINT let open transfers end first, for
shutdown-grace at the most; a second one ends it at once.)";

// Below a second a large tree would be scanned without end.
constexpr absl::Duration kLeastInterval = absl::Seconds(1);
constexpr absl::Duration kMostInterval = absl::Hours(24);

constexpr size_t kMostTransfers = 1'000'000;

absl::StatusOr<std::vector<IpEndpoint>> ParseEndpoints(const ProgramOptions& options,
                                                       absl::string_view name,
                                                       const std::vector<std::string>& texts) {
  std::vector<IpEndpoint> endpoints;
  for (const std::string& text : texts) {
    absl::StatusOr<IpEndpoint> endpoint = IpEndpoint::Parse(text);
    if (!endpoint.ok()) return options.ErrorIn(name, endpoint.status());
    endpoints.push_back(*std::move(endpoint));
  }
  return endpoints;
}

absl::StatusOr<size_t> ParseNumber(const ProgramOptions& options, absl::string_view name,
                                   const std::string& text, size_t least, size_t most) {
  size_t number = 0;
  const bool is_number = std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (is_number && absl::SimpleAtoi(text, &number) && number >= least && number <= most) {
    return number;
  }
  return options.ErrorIn(name, absl::InvalidArgumentError(absl::StrCat(
                                   Quote(text), ": expected a number from ", least, " to ", most)));
}

// What the tftp- options say beside where to listen.
struct TftpTexts {
  std::string ports;
  bool single_port = false;
  std::string max_block_size;
  std::string max_transfers = absl::StrCat(tftp::ServingLimits().max_transfers);
  std::string max_transfers_of_address =
      absl::StrCat(tftp::ServingLimits().max_transfers_of_address);
};

void AddTftpOptions(TftpTexts& texts, ProgramOptions& options) {
  options.AddText("tftp-ports", &texts.ports, "FIRST-LAST",
                  "the ports that TFTP transfers go out from, for a firewall to let through (any "
                  "free ones unless set)");
  options.AddSwitch("tftp-single-port", &texts.single_port,
                    "answer TFTP from the port that was asked, for hosts behind NAT and for "
                    "containers");
  options.AddText("tftp-max-block-size", &texts.max_block_size, "BYTES",
                  "the longest TFTP block, whatever the interface's MTU (what goes through the "
                  "interface in one piece unless set)",
                  TakesEffect::kOnReload);
  options.AddText("tftp-max-transfers", &texts.max_transfers, "COUNT", "TFTP transfers at once",
                  TakesEffect::kOnReload);
  options.AddText("tftp-max-transfers-of-address", &texts.max_transfers_of_address, "COUNT",
                  "of these, those of one address: many hosts have the same behind NAT",
                  TakesEffect::kOnReload);
}

absl::Status ParseTftpOptions(const ProgramOptions& options, const TftpTexts& texts,
                              Config& config) {
  config.tftp_single_port = texts.single_port;
  if (!texts.ports.empty()) {
    absl::StatusOr<PortRange> ports = PortRange::Parse(texts.ports);
    if (!ports.ok()) return options.ErrorIn("tftp-ports", ports.status());
    if (texts.single_port) {
      return options.ErrorIn("tftp-ports", absl::InvalidArgumentError(absl::StrCat(
                                               ports->Format(),
                                               " is of no use with tftp-single-port: leave one "
                                               "of them out")));
    }
    config.tftp_ports = *ports;
  }
  if (!texts.max_block_size.empty()) {
    ASSIGN_OR_RETURN(const size_t bytes,
                     ParseNumber(options, "tftp-max-block-size", texts.max_block_size,
                                 tftp::kMinBlockSize, tftp::kMaxBlockSize));
    config.tftp_limits.max_block_size = static_cast<uint16_t>(bytes);
  }
  ASSIGN_OR_RETURN(
      config.tftp_limits.max_transfers,
      ParseNumber(options, "tftp-max-transfers", texts.max_transfers, 1, kMostTransfers));
  ASSIGN_OR_RETURN(config.tftp_limits.max_transfers_of_address,
                   ParseNumber(options, "tftp-max-transfers-of-address",
                               texts.max_transfers_of_address, 1, kMostTransfers));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParsedConfig> ParseConfig(absl::Span<const std::string> args,
                                         const ProgramOptions::Environment& environment,
                                         const std::string& host_name) {
  std::string id = host_name;
  std::string server = absl::StrCat("127.0.0.1:", kServerPort);
  std::string rootfs;
  std::string loaders = "/usr/lib/ipxe";
  std::string files;
  std::string state = "/var/lib/autopxe-agent";
  std::vector<std::string> tftp_listen = {"0.0.0.0:69"};
  TftpTexts tftp;
  std::vector<std::string> http_listen = {"0.0.0.0:8080"};
  std::string advertise;
  bool start_script_for_ipxe = true;
  absl::Duration rescan_interval = absl::Minutes(1);
  std::string log_level = "info";
  absl::Duration shutdown_grace = absl::Seconds(30);

  ProgramOptions options("autopxe-agent", kDescription, kFooter);
  options.AddText("id", &id, "ID",
                  "this agent's name, its own among all agents (the host name unless set)");
  options.AddText("server", &server, "HOST:PORT", "where autopxe-server listens");
  options.AddText("rootfs", &rootfs, "FOLDER",
                  "the tree of root file systems: <distro>/<release>/boot/...");
  options.AddText("loaders", &loaders, "FOLDER",
                  "where undionly.kpxe, ipxe.efi and other loaders are");
  options.AddText("files", &files, "FOLDER",
                  "where the files of declared distros are, for installers and memory tests (none "
                  "unless set)");
  options.AddText("state", &state, "FOLDER", "keeps the copy of the configuration");
  options.AddList("tftp-listen", &tftp_listen, "ADDRESS:PORT",
                  "where to answer TFTP; port 0: any free one");
  AddTftpOptions(tftp, options);
  options.AddList("http-listen", &http_listen, "ADDRESS:PORT",
                  "where to answer HTTP; port 0: any free one");
  options.AddText("advertise", &advertise, "ADDRESS",
                  "where hosts reach this agent, if it is not the address at which they ask",
                  TakesEffect::kOnReload);
  options.AddSwitch("start-script-for-ipxe", &start_script_for_ipxe,
                    "answer a loader that iPXE itself asks for with the start script, so that DHCP "
                    "needs no rule for iPXE",
                    TakesEffect::kOnReload);
  options.AddDuration("rescan-interval", &rescan_interval, kLeastInterval, kMostInterval,
                      "how often to look through the rootfs tree for what the kernel did not tell "
                      "of: all changes where the tree is on NFS",
                      TakesEffect::kOnReload);
  options.AddText("log-level", &log_level, "LEVEL", "debug, info, warn or error",
                  TakesEffect::kOnReload);
  // A service manager kills after 90 s.
  options.AddDuration("shutdown-grace", &shutdown_grace, absl::ZeroDuration(), absl::Hours(1),
                      "how long transfers may take to end when it is told to stop",
                      TakesEffect::kOnReload);

  ASSIGN_OR_RETURN(const absl::optional<std::string> print, options.Parse(args, environment));
  if (print.has_value()) return ParsedConfig{absl::nullopt, {}, *print};

  absl::StatusOr<AgentId> parsed_id = AgentId::Parse(id);
  if (!parsed_id.ok()) return options.ErrorIn("id", parsed_id.status());
  absl::StatusOr<std::string> parsed_server = ParseServerAddress(server);
  if (!parsed_server.ok()) return options.ErrorIn("server", parsed_server.status());
  if (rootfs.empty()) {
    return absl::InvalidArgumentError("--rootfs: name the folder of the root file systems");
  }
  // Hosts mount it by this name, unless rootfs-path-prefix is set.
  std::error_code error;
  const std::filesystem::path rootfs_folder = std::filesystem::absolute(rootfs, error);
  if (error) {
    return options.ErrorIn(
        "rootfs", absl::InvalidArgumentError(absl::StrCat(Quote(rootfs), ": ", error.message())));
  }
  std::string rootfs_path = rootfs_folder.lexically_normal().string();
  while (rootfs_path.size() > 1 && rootfs_path.back() == '/') rootfs_path.pop_back();
  // A blank in it would split every kernel's command line.
  absl::StatusOr<RootfsPathPrefix> mountable = RootfsPathPrefix::Parse(rootfs_path);
  if (!mountable.ok()) return options.ErrorIn("rootfs", mountable.status());
  Config config{.id = *std::move(parsed_id),
                .server = *std::move(parsed_server),
                .rootfs_folder = std::move(rootfs_path),
                .loaders_folder = std::move(loaders),
                .files_folder = std::move(files),
                .state_folder = std::move(state),
                .tftp_listen = {},
                .tftp_ports = absl::nullopt,
                .tftp_limits = {},
                .http_listen = {},
                .advertise = absl::nullopt,
                .start_script_for_ipxe = start_script_for_ipxe};
  ASSIGN_OR_RETURN(config.tftp_listen, ParseEndpoints(options, "tftp-listen", tftp_listen));
  RETURN_IF_ERROR(ParseTftpOptions(options, tftp, config));
  ASSIGN_OR_RETURN(config.http_listen, ParseEndpoints(options, "http-listen", http_listen));
  if (!advertise.empty()) {
    absl::StatusOr<IpAddress> address = IpAddress::Parse(advertise);
    if (!address.ok()) return options.ErrorIn("advertise", address.status());
    if (address->is_unspecified()) {
      return options.ErrorIn("advertise", absl::InvalidArgumentError(absl::StrCat(
                                              address->Format(), " is no address of a host")));
    }
    config.advertise = *address;
  }
  config.rescan_interval = rescan_interval;
  absl::StatusOr<LogLevel> level = ParseLogLevel(log_level);
  if (!level.ok()) return options.ErrorIn("log-level", level.status());
  config.log_level = *level;
  config.shutdown_grace = shutdown_grace;
  return ParsedConfig{std::move(config), options.Values(), ""};
}

}  // namespace autopxe::agent
