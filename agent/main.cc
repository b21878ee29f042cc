#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "agent/agent.h"
#include "agent/config.h"
#include "common/runtime/grpc_log.h"
#include "common/runtime/log_line.h"
#include "common/runtime/logging.h"
#include "common/runtime/shutdown.h"

namespace autopxe::agent {
namespace {

enum ExitCode { kOk = 0, kFailed = 1, kUsage = 2 };

// How long transfers may take to end after SIGTERM; a service manager kills after 90 s.
constexpr absl::Duration kDrainLimit = absl::Seconds(30);

int Fail(ExitCode code, const absl::Status& status) {
  fprintf(stderr, "autopxe-agent: %s\n", std::string(status.message()).c_str());
  return code;
}

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "";
}

absl::StatusOr<ParsedConfig> ReadConfig(const std::vector<std::string>& args) {
  return ParseConfig(
      args,
      [](const std::string& name) -> absl::optional<std::string> {
        const char* value = getenv(name.c_str());
        if (value == nullptr) return absl::nullopt;
        return value;
      },
      HostName());
}

// A transfer and a connection take descriptors, and the usual limit of 1,024 is there for select(),
// which nothing here uses.
void RaiseDescriptorLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Takes over what can change while it runs; a configuration that is wrong changes nothing.
void Reload(const std::vector<std::string>& args, Config& config, Agent& agent) {
  const absl::StatusOr<ParsedConfig> parsed = ReadConfig(args);
  if (!parsed.ok()) {
    LogLine("reload")
        .Add("result", "refused")
        .Add("error", std::string(parsed.status().message()))
        .Warn();
  } else {
    Config wanted = *parsed->config;
    SetLogLevel(wanted.log_level);
    config.log_level = wanted.log_level;
    agent.SetRescanInterval(wanted.rescan_interval);
    config.rescan_interval = wanted.rescan_interval;
    LogLine line("reload");
    line.Add("result", "ok").Add("log_level", FormatLogLevel(config.log_level));
    if (wanted != config) line.Add("note", "other changes take a restart");
    line.Info();
  }
  agent.Rescan();
}

int Main(const std::vector<std::string>& args) {
  // First: every thread is to inherit what it blocks.
  ShutdownSignals signals;
  const absl::StatusOr<ParsedConfig> parsed = ReadConfig(args);
  if (!parsed.ok()) return Fail(kUsage, parsed.status());
  if (!parsed->config.has_value()) {
    fputs(parsed->print.c_str(), stdout);
    return kOk;
  }
  Config config = *parsed->config;
  OpenLog(config.log_level);
  RouteGrpcLog();
  RaiseDescriptorLimit();
  absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(config);
  if (!agent.ok()) return Fail(kFailed, agent.status());
  const int number = signals.Run([&] { Reload(args, config, **agent); });
  LogLine("stopping").Add("signal", number).Info();
  (*agent)->Drain(kDrainLimit);
  *agent = nullptr;
  LogLine("stopped").Info();
  return kOk;
}

}  // namespace
}  // namespace autopxe::agent

int main(int argc, char** argv) {
  return autopxe::agent::Main(std::vector<std::string>(argv + 1, argv + argc));
}
