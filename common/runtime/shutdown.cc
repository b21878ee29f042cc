#include "common/runtime/shutdown.h"

#include <csignal>

#include "absl/base/internal/raw_logging.h"

namespace autopxe {
namespace {

sigset_t Signals(bool with_reload) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (with_reload) sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

ShutdownSignals::ShutdownSignals() {
  // A shell starts background jobs with SIGINT ignored; an ignored signal is never pending, and a
  // disposition other than the default would outlive a second one.
  for (int number : {SIGTERM, SIGINT, SIGHUP}) signal(number, SIG_DFL);
  signal(SIGPIPE, SIG_IGN);
  const sigset_t signals = Signals(/*with_reload=*/true);
  ABSL_RAW_CHECK(pthread_sigmask(SIG_BLOCK, &signals, nullptr) == 0, "pthread_sigmask failed");
}

int ShutdownSignals::Run(const std::function<void()>& on_reload) {
  const sigset_t signals = Signals(/*with_reload=*/true);
  while (true) {
    int number = 0;
    if (sigwait(&signals, &number) != 0) continue;
    if (number == SIGHUP) {
      on_reload();
      continue;
    }
    const sigset_t deadly = Signals(/*with_reload=*/false);
    ABSL_RAW_CHECK(pthread_sigmask(SIG_UNBLOCK, &deadly, nullptr) == 0, "pthread_sigmask failed");
    return number;
  }
}

}  // namespace autopxe
