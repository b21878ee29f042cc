#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "common/runtime/exit_code.h"
#include "common/runtime/grpc_log.h"
#include "common/runtime/log_line.h"
#include "common/runtime/logging.h"
#include "common/runtime/reload.h"
#include "common/runtime/shutdown.h"
#include "common/runtime/version.h"
#include "server/config.h"
#include "server/server.h"

namespace autopxe::server {
namespace {

constexpr char kProgram[] = "autopxe-server";

// Takes over what can change while it runs; a configuration that is wrong changes nothing.
void Reload(const std::vector<std::string>& args, OptionsInForce& options, Config& config,
            Server& server) {
  const absl::StatusOr<Invocation> invocation = ParseInvocation(args);
  if (!invocation.ok()) {
    LogRefusedReload(invocation.status());
    return;
  }
  const Config& wanted = invocation->config;
  // What the change itself says is seen at the old and at the new level.
  SetLogLevel(std::min(config.log_level, wanted.log_level));
  config.log_level = wanted.log_level;
  config.shutdown_grace = wanted.shutdown_grace;
  config.keep_history = wanted.keep_history;
  server.KeepHistory(config.keep_history);
  // Says what is in force now: last.
  options.Reload(invocation->options);
  SetLogLevel(wanted.log_level);
}

int Run(const std::vector<std::string>& args) {
  // First: every thread is to inherit what it blocks.
  ShutdownSignals signals;
  absl::StatusOr<Invocation> invocation = ParseInvocation(args);
  if (!invocation.ok()) return Fail(kProgram, kUsage, invocation.status());
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
  if (!server.ok()) {
    FlushLog();
    return Fail(kProgram, kFailed, server.status());
  }
  OptionsInForce options(std::move(invocation->options));
  const int number = signals.Run([&] { Reload(args, options, config, **server); });
  LogLine("stopping").Add("signal", number).Add("grace", config.shutdown_grace).Info();
  (*server)->Shutdown(config.shutdown_grace);
  LogLine("stopped").Info();
  return kOk;
}

}  // namespace
}  // namespace autopxe::server

int main(int argc, char** argv) {
  return autopxe::server::Run(std::vector<std::string>(argv + 1, argv + argc));
}
