#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/types/optional.h"
#include "common/model/distro.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"

namespace autopxe {

// Never changes and is never used again, whatever a host is called. Above 0.
enum class HostId : int64_t {};

// What keeps one host's share of a message bounded.
inline constexpr size_t kMaxMacsPerHost = 64;

// A host: something that boots over the network.
struct Host {
  HostId id;
  HostName name;
  std::vector<MacAddress> macs;   // 1 to kMaxMacsPerHost, ascending, without repeats.
  absl::optional<Distro> distro;  // The standing assignment.
  int64_t etag = 0;               // The revision that changed it last.

  friend bool operator==(const Host&, const Host&) = default;
};

}  // namespace autopxe
