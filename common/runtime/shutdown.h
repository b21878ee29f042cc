#pragma once

#include <functional>

namespace autopxe {

// The signals that a daemon lives by. Construct it first thing in main, before any thread: it
// blocks SIGTERM, SIGINT and SIGHUP for the calling thread and all that it starts, and ignores
// SIGPIPE (a peer that went away is an error of a write).
class ShutdownSignals {
 public:
  ShutdownSignals();

  ShutdownSignals(const ShutdownSignals&) = delete;
  ShutdownSignals& operator=(const ShutdownSignals&) = delete;

  // Waits. Calls `on_reload` in this thread for each SIGHUP; returns at the first SIGTERM or
  // SIGINT, with its number. From then on a second SIGTERM or SIGINT ends the process at once, so
  // that a drain that hangs can be broken off.
  int Run(const std::function<void()>& on_reload);
};

}  // namespace autopxe
