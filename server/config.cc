#include "server/config.h"

#include <utility>

#include "absl/status/status.h"
#include "common/status/status_macros.h"

namespace autopxe::server {
namespace {

constexpr char kExamples[] = R"(Examples:
  autopxe-server
      serves on 127.0.0.1:7766 with the database /var/lib/autopxe/autopxe.db
  autopxe-server --listen 127.0.0.1:7766 --listen '[::1]:7766' --log-level debug
  autopxe-server --config /etc/autopxe/server.yaml
      where the file says, for one:
          listen: [127.0.0.1:7766]
          database: /var/lib/autopxe/autopxe.db

SIGTERM and SIGINT stop it once calls have ended, or after shutdown-grace; a second one at once.
)";

// A hundred years.
constexpr absl::Duration kMostHistory = absl::Hours(876'000);

absl::StatusOr<Invocation> Parse(absl::Span<const std::string> args,
                                 const ProgramOptions::Environment* environment) {
  std::vector<std::string> listen = {"127.0.0.1:7766"};
  std::string database = "/var/lib/autopxe/autopxe.db";
  std::string log_level = "info";
  absl::Duration keep_history = absl::Hours(2160);
  absl::Duration grace = absl::Seconds(10);
  ProgramOptions options(
      "autopxe-server",
      "Keeps which host boots which distro, and serves it to agents and autopxectl over "
      "gRPC.",
      kExamples);
  options.AddList("listen", &listen, "ADDRESS:PORT",
                  "where to serve; may be given more than once; port 0: any free one");
  options.AddText("database", &database, "FILE", "the database; made if there is none");
  options.AddText("log-level", &log_level, "LEVEL", "debug, info, warn or error",
                  TakesEffect::kOnReload);
  options.AddDuration("keep-history", &keep_history, absl::ZeroDuration(), kMostHistory,
                      "how long to keep what was changed, for agents that were away; 0: for ever",
                      TakesEffect::kOnReload);
  options.AddDuration("shutdown-grace", &grace, absl::ZeroDuration(), absl::Hours(1),
                      "how long calls may take to end when it is told to stop",
                      TakesEffect::kOnReload);
  Invocation invocation;
  ASSIGN_OR_RETURN(invocation.print, environment == nullptr ? options.Parse(args)
                                                            : options.Parse(args, *environment));
  if (invocation.print.has_value()) return invocation;

  Config& config = invocation.config;
  config.database = database;
  for (const std::string& text : listen) {
    const absl::StatusOr<IpEndpoint> endpoint = IpEndpoint::Parse(text);
    if (!endpoint.ok()) return options.ErrorIn("listen", endpoint.status());
    config.listen.push_back(*endpoint);
  }
  const absl::StatusOr<LogLevel> level = ParseLogLevel(log_level);
  if (!level.ok()) return options.ErrorIn("log-level", level.status());
  config.log_level = *level;
  config.keep_history = keep_history;
  config.shutdown_grace = grace;
  invocation.options = options.Values();
  return invocation;
}

}  // namespace

absl::StatusOr<Invocation> ParseInvocation(absl::Span<const std::string> args,
                                           const ProgramOptions::Environment& environment) {
  return Parse(args, &environment);
}

absl::StatusOr<Invocation> ParseInvocation(absl::Span<const std::string> args) {
  return Parse(args, nullptr);
}

}  // namespace autopxe::server
