#pragma once

#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "agent/net/unique_fd.h"

namespace autopxe::tests {

// The network between agents and a server that comes and goes: one address that stays, whatever
// port the server has now. Refuses until it is told where to forward to. Thread-safe.
class Relay {
 public:
  Relay();
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // "127.0.0.1:40123".
  const std::string& address() const { return address_; }

  // Connections, held ones included, go to this port of the loopback.
  void ForwardTo(uint16_t port) { Set(Mode::kForward, port); }

  // Connections are cut; new ones are accepted, and nothing comes over them: a server that hangs.
  void Hold() { Set(Mode::kHold, 0); }

  // Connections are cut; new ones are closed at once: a server that is not running.
  void Refuse() { Set(Mode::kRefuse, 0); }

  // Connections that are open now are cut; new ones are treated as before.
  void Cut();

 private:
  enum class Mode { kForward, kHold, kRefuse };

  // `client` came from an agent; `server` is invalid while the connection is held.
  struct Connection {
    agent::UniqueFd client;
    agent::UniqueFd server;
    std::string to_server;
    std::string to_client;
  };

  void Set(Mode mode, uint16_t port);
  void Wake();
  void Run();
  // Moves what can be moved without waiting. False: one side is gone.
  static bool Move(int from, int to, std::string& pending);

  agent::UniqueFd listening_;
  agent::UniqueFd wakeup_;
  std::string address_;

  absl::Mutex mutex_;
  Mode mode_ ABSL_GUARDED_BY(mutex_) = Mode::kRefuse;
  uint16_t port_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cut_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;

  std::thread thread_;  // Last: it uses everything above.
};

}  // namespace autopxe::tests
