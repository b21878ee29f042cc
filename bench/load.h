#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "bench/step.h"
#include "bench/tftp_read.h"

namespace autopxe::bench {

struct LoadOptions {
  std::vector<Step> steps;  // Of each host, one after the other.
  uint32_t hosts = 1;
  uint32_t at_once = 1;  // The others wait for a place.

  TftpRead::Options tftp;
  // By HTTP: one connection for all that is fetched at a place, or else a new one for each file.
  bool keeps_connections = false;
  // Without a byte of an answer by HTTP; and before it is tried again.
  std::chrono::milliseconds http_timeout{30'000};
  // How often a host begins a step, if it breaks off or nobody answers. What is wrong is never
  // asked for again.
  int attempts = 1;

  // Of TFTP's packets, in both directions, as they pass the client.
  double loss = 0;
  uint64_t seed = 1;

  // A host sends nothing more once it has got so many packets by TFTP, and stays.
  absl::optional<int> silent_after;

  // Each place asks from an address of its own, 127.1.0.0 and up. REQUIRES: servers on 127.0.0.1.
  bool own_addresses = false;
};

struct LoadResult {
  uint32_t done = 0;
  uint32_t failed = 0;
  uint32_t silent = 0;
  absl::Status first_failure;  // OK if there is none.

  double seconds = 0;           // Until the last host was done.
  double client_cpu = 0;        // Seconds of this process meanwhile.
  std::vector<double> took_ms;  // Of each host that was done, ascending.

  uint64_t bytes = 0;
  uint64_t resent = 0;     // Packets that the client repeated because nothing came.
  uint64_t repeated = 0;   // Packets that the server sent again and the client had.
  uint64_t dropped = 0;    // Packets that were lost on purpose.
  uint64_t restarted = 0;  // Steps that were begun again.
};

// Runs it all on this thread. The silent hosts' sockets stay open as long as the Load.
class Load {
 public:
  explicit Load(LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  // Every place has its socket before the first packet goes out. To be called once.
  // Errors: the system's, if there are not enough descriptors or no epoll.
  absl::StatusOr<LoadResult> Run();

 private:
  class Engine;
  const std::unique_ptr<Engine> engine_;
};

}  // namespace autopxe::bench
