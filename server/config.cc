#include "server/config.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"
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

Signals: SIGTERM and SIGINT stop it once calls have ended, SIGHUP reads log-level and keep-history anew.
)";

constexpr absl::Duration kMaxGrace = absl::Hours(1);

absl::StatusOr<absl::Duration> ParseGrace(const std::string& text) {
  absl::Duration grace;
  if (!absl::ParseDuration(text, &grace) || grace < absl::ZeroDuration() || grace > kMaxGrace) {
    return absl::InvalidArgumentError(
        absl::StrCat(Quote(text), ": expected a duration from 0s to 1h, such as \"10s\""));
  }
  return grace;
}

// Without a unit only 0, for ever.
absl::StatusOr<absl::Duration> ParseKeepHistory(const std::string& text) {
  absl::Duration keep;
  if (!absl::ParseDuration(text, &keep) || keep < absl::ZeroDuration() ||
      keep == absl::InfiniteDuration()) {
    return absl::InvalidArgumentError(absl::StrCat(
        Quote(text), ": expected a duration, such as \"2160h\" for 90 days, or 0 for ever"));
  }
  return keep;
}

absl::StatusOr<Invocation> Parse(absl::Span<const std::string> args,
                                 const ProgramOptions::Environment* environment) {
  std::vector<std::string> listen = {"127.0.0.1:7766"};
  std::string database = "/var/lib/autopxe/autopxe.db";
  std::string log_level = "info";
  std::string keep_history = "2160h";
  std::string grace = "10s";
  ProgramOptions options(
      "autopxe-server",
      "Keeps which host boots which distro, and serves it to agents and autopxectl over "
      "gRPC.",
      kExamples);
  options.AddList("listen", &listen, "ADDRESS:PORT",
                  "where to serve; may be given more than once; port 0: any free one");
  options.AddText("database", &database, "FILE", "the database; made if there is none");
  options.AddText("log-level", &log_level, "LEVEL", "debug, info, warn or error");
  options.AddText("keep-history", &keep_history, "DURATION",
                  "how long to keep what was changed, for agents that were away; 0: for ever");
  options.AddText("shutdown-grace", &grace, "DURATION",
                  "how long calls may take to end when it is told to stop");
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
  const absl::StatusOr<absl::Duration> keep = ParseKeepHistory(keep_history);
  if (!keep.ok()) return options.ErrorIn("keep-history", keep.status());
  config.keep_history = *keep;
  const absl::StatusOr<absl::Duration> duration = ParseGrace(grace);
  if (!duration.ok()) return options.ErrorIn("shutdown-grace", duration.status());
  config.shutdown_grace = *duration;
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
