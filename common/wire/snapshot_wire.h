#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.pb.h"
#include "common/model/snapshot.h"

namespace autopxe {

// The snapshot in parts of `hosts_per_part` hosts at most, in the order of their names: one part at
// least. No part is more than 2 MiB unless all settings, groups, profiles and declared distros
// alone are, which gRPC's default limit of 4 MiB for a message leaves room for. REQUIRES:
// hosts_per_part > 0.
std::vector<v1::SnapshotPart> ToProto(const Snapshot& snapshot, size_t hosts_per_part = 500);

// Puts the parts of a snapshot together again. Not thread-safe.
class SnapshotAssembler {
 public:
  // The snapshot, if `part` completes one; nothing if more parts are to come. A first part drops
  // what was gathered before.
  // Errors: INVALID_ARGUMENT, naming the field and its value: a value does not parse, the part does
  // not belong to those before it, or the whole is no snapshot (two hosts share a MAC). All that
  // was gathered is dropped, and the next part must be a first one.
  absl::StatusOr<absl::optional<std::shared_ptr<const Snapshot>>> Add(const v1::SnapshotPart& part);

 private:
  struct Gathered {
    Revision revision;
    Settings settings;
    std::vector<AgentSettings> agent_settings;
    Snapshot::Groups groups;
    std::vector<Profile> profiles;
    std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros;
    std::vector<std::shared_ptr<const Host>> hosts;
  };

  // Adds `part` to what was gathered.
  absl::Status Gather(const v1::SnapshotPart& part);

  absl::optional<Gathered> gathered_;
};

}  // namespace autopxe
