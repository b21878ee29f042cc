#pragma once

#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/ip_endpoint.h"
#include "common/model/name.h"
#include "common/model/revision.h"

namespace autopxe {

// How an agent is, in its own words.
struct AgentStatus {
  AgentInstance instance;
  RevisionId applied;   // What it serves; all zero when it has nothing yet.
  std::string version;  // Its program's; printable ASCII, 64 characters at most.
  absl::Time start_time = absl::UnixEpoch();  // By its own clock.
  absl::optional<IpEndpoint> http_address;    // Where hosts reach it; unset if it does not know.
  absl::optional<IpEndpoint> tftp_address;    // The same.

  friend bool operator==(const AgentStatus&, const AgentStatus&) = default;
};

}  // namespace autopxe
