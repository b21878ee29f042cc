#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/label.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"

namespace autopxe {

// Never changes and is never used again, whatever a host is called. Above 0.
enum class HostId : int64_t {};

// What keeps one host's share of a message bounded.
inline constexpr size_t kMaxMacsPerHost = 64;
inline constexpr size_t kMaxVariablesPerHost = 64;

// An assignment for one boot. It is used up when the host fetches its kernel from an agent.
struct NextBoot {
  Distro distro;
  // The revision that made it: tells it from one that is made after it was used. Above 0.
  int64_t token = 0;

  friend bool operator==(const NextBoot&, const NextBoot&) = default;
};

// One that a host has used up.
struct UsedNextBoot {
  HostId host;
  int64_t token = 0;  // NextBoot::token.

  friend auto operator<=>(const UsedNextBoot&, const UsedNextBoot&) = default;
};

// An assignment that ends by itself. Until then it takes the place of the standing one.
struct TimedAssignment {
  Distro distro;
  absl::Time until;  // By the clock of whoever decides: whole microseconds.

  friend bool operator==(const TimedAssignment&, const TimedAssignment&) = default;
};

// A host: something that boots over the network.
struct Host {
  HostId id;
  HostName name;
  std::vector<MacAddress> macs;                // 1 to kMaxMacsPerHost, ascending, no repeats.
  absl::optional<Distro> distro = {};          // The standing assignment.
  absl::optional<TimedAssignment> timed = {};  // Wins over it until it ends.
  absl::optional<NextBoot> next = {};          // Wins over both, once.
  Labels labels = {};                          // Up to kMaxLabelsPerHost.
  std::map<VariableName, VariableValue> variables = {};  // Up to kMaxVariablesPerHost.
  Note note = *Note::Parse("");                          // For people.
  bool locked = false;                                   // What it boots is changed by force only.
  int64_t etag = 0;                                      // The revision that changed it last.

  friend bool operator==(const Host&, const Host&) = default;
};

}  // namespace autopxe
