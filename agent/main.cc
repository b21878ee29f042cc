#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "agent/agent.h"
#include "agent/config.h"
#include "common/runtime/exit_code.h"
#include "common/runtime/grpc_log.h"
#include "common/runtime/log_line.h"
#include "common/runtime/logging.h"
#include "common/runtime/reload.h"
#include "common/runtime/shutdown.h"

namespace autopxe::agent {
namespace {

constexpr char kProgram[] = "autopxe-agent";

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

// A configuration of 100,000 hosts is a million little blocks, and glibc asks the kernel for their
// memory by 128 KiB at a time. In larger steps an agent serves from such a file a tenth sooner.
// What of a step is never touched costs no memory.
void TakeMemoryInLargeSteps() { mallopt(M_TOP_PAD, 32 << 20); }

// Debian's Abseil looks for cycles of locks whenever one is taken, under a lock that the whole
// process shares: 48 ns for each, in place of 10. The tests look for them.
void DropDeadlockDetection() {
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

// Takes over what can change while it runs; a configuration that is wrong changes nothing.
void Reload(const std::vector<std::string>& args, OptionsInForce& options, Config& config,
            Agent& agent) {
  const absl::StatusOr<ParsedConfig> parsed = ReadConfig(args);
  if (!parsed.ok()) {
    LogRefusedReload(parsed.status());
  } else {
    const Config& wanted = *parsed->config;
    // What the change itself says is seen at the old and at the new level.
    SetLogLevel(std::min(config.log_level, wanted.log_level));
    config.log_level = wanted.log_level;
    config.shutdown_grace = wanted.shutdown_grace;
    agent.Reload(wanted);
    // Says what is in force now: last.
    options.Reload(parsed->options);
    SetLogLevel(wanted.log_level);
  }
  agent.Rescan();
}

int Main(const std::vector<std::string>& args) {
  // First: every thread is to inherit what it blocks.
  ShutdownSignals signals;
  const absl::StatusOr<ParsedConfig> parsed = ReadConfig(args);
  if (!parsed.ok()) return Fail(kProgram, kUsage, parsed.status());
  if (!parsed->config.has_value()) {
    fputs(parsed->print.c_str(), stdout);
    return kOk;
  }
  Config config = *parsed->config;
  OpenLog(config.log_level);
  RouteGrpcLog();
  RaiseDescriptorLimit();
  TakeMemoryInLargeSteps();
  DropDeadlockDetection();
  absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(config);
  if (!agent.ok()) {
    FlushLog();
    return Fail(kProgram, kFailed, agent.status());
  }
  OptionsInForce options(parsed->options);
  const int number = signals.Run([&] { Reload(args, options, config, **agent); });
  LogLine("stopping").Add("signal", number).Add("grace", config.shutdown_grace).Info();
  (*agent)->Drain(config.shutdown_grace);
  *agent = nullptr;
  LogLine("stopped").Info();
  return kOk;
}

}  // namespace
}  // namespace autopxe::agent

int main(int argc, char** argv) {
  return autopxe::agent::Main(std::vector<std::string>(argv + 1, argv + argc));
}
