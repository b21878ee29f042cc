#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/ip_endpoint.h"
#include "common/model/name.h"
#include "common/model/revision.h"

namespace autopxe {

// How an agent is, in its own words.
struct AgentStatus {
  // Of `problems`.
  static constexpr size_t kMaxProblems = 16;
  static constexpr size_t kMaxProblemLength = 256;
  // Of `rootfs_folder`: Linux's PATH_MAX.
  static constexpr size_t kMaxFolderLength = 4096;

  AgentInstance instance;
  RevisionId applied;   // What it serves; all zero when it has nothing yet.
  std::string version;  // Its program's; printable ASCII, 64 characters at most.
  absl::Time start_time = absl::UnixEpoch();  // By its own clock.
  absl::optional<IpEndpoint> http_address;  // Where all hosts reach it; unset if it does not know.
  absl::optional<IpEndpoint> tftp_address;  // The same.
  // How long ago, when this was said, what it serves was last known to be the server's current
  // configuration; not negative. Unset if it serves none.
  absl::optional<absl::Duration> view_age = absl::nullopt;
  // What it could not do: sentences for people in printable ASCII, none of them empty.
  std::vector<std::string> problems = {};
  std::string rootfs_folder = {};  // Its own; printable ASCII. Empty: not said.
  absl::optional<IpAddress> advertise =
      {};                  // What its scripts name; unset: where they are asked for.
  uint16_t http_port = 0;  // At which it serves HTTP, and which its scripts name; 0: not said.
  uint16_t tftp_port = 0;  // The same of TFTP.

  friend bool operator==(const AgentStatus&, const AgentStatus&) = default;
};

}  // namespace autopxe
