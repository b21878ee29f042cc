#pragma once

#include <string>

#include "common/model/ip_endpoint.h"
#include "common/model/mac_address.h"

namespace autopxe {

enum class Transport { kTftp, kHttp };

enum class Platform { kUnknown, kPcBios, kEfi };  // iPXE's ${platform}.

// How a script was asked for.
enum class Stage {
  kStart,  // The host started: show the menu, then boot the default entry when its time is up.
  kPoll,   // The host is on `wait` (or its distro was missing) and asks again: boot at once what is
           // assigned now.
};

// What a host said of itself, and how it asked.
struct HostFacts {
  MacAddress mac;
  Transport transport = Transport::kTftp;
  Stage stage = Stage::kStart;
  IpAddress asked_at;  // The agent's address that the host used.
  Platform platform = Platform::kUnknown;
  // iPXE's ${buildarch}; empty if not said. `i386` says nothing of the processor.
  std::string build_arch;
};

}  // namespace autopxe
