#include "agent/config.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
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
                .http_listen = {},
                .advertise = absl::nullopt,
                .start_script_for_ipxe = start_script_for_ipxe};
  ASSIGN_OR_RETURN(config.tftp_listen, ParseEndpoints(options, "tftp-listen", tftp_listen));
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
