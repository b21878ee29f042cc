#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/grpc_log.h"
#include "common/runtime/log_line.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"
#include "common/runtime/version.h"
#include "server/config.h"
#include "server/server.h"

namespace autopxe::server {
namespace {

enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2 };

int Fail(ExitCode code, const absl::Status& status) {
  std::fprintf(stderr, "autopxe-server: %s\n", std::string(status.message()).c_str());
  return code;
}

// Takes over what can change while it runs; a configuration that is wrong changes nothing.
void Reload(const std::vector<std::string>& args, Config& config, Server& server) {
  const absl::StatusOr<Invocation> invocation = ParseInvocation(args);
  if (!invocation.ok()) {
    LogLine("reload")
        .Add("result", "refused")
        .Add("error", std::string(invocation.status().message()))
        .Warn();
    return;
  }
  const Config& wanted = invocation->config;
  const bool needs_restart = wanted.listen != config.listen || wanted.database != config.database ||
                             wanted.shutdown_grace != config.shutdown_grace;
  config.log_level = wanted.log_level;
  SetLogLevel(config.log_level);
  config.keep_history = wanted.keep_history;
  server.KeepHistory(config.keep_history);
  LogLine line("reload");
  line.Add("result", "ok").Add("log_level", FormatLogLevel(config.log_level));
  line.Add("keep_history", absl::FormatDuration(config.keep_history));
  if (needs_restart) line.Add("note", "other changes take a restart");
  line.Info();
}

int Run(const std::vector<std::string>& args) {
  // First: every thread is to inherit what it blocks.
  ShutdownSignals signals;
  absl::StatusOr<Invocation> invocation = ParseInvocation(args);
  if (!invocation.ok()) return Fail(kUsage, invocation.status());
  if (invocation->print.has_value()) {
    std::fputs(invocation->print->c_str(), stdout);
    return kOk;
  }
  Config config = invocation->config;
  OpenLog(config.log_level);
  RouteGrpcLog();
  LogLine("starting").Add("version", kVersion).Add("database", config.database).Info();
  const SystemClock clock;
  absl::StatusOr<std::unique_ptr<Server>> server = Server::Open(config, clock);
  if (!server.ok()) return Fail(kFailed, server.status());
  const int number = signals.Run([&] { Reload(args, config, **server); });
  LogLine("stopping").Add("signal", number).Info();
  (*server)->Shutdown();
  LogLine("stopped").Info();
  return kOk;
}

}  // namespace
}  // namespace autopxe::server

int main(int argc, char** argv) {
  return autopxe::server::Run(std::vector<std::string>(argv + 1, argv + argc));
}
