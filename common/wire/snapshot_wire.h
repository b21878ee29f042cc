#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "autopxe/v1/agent.pb.h"
#include "common/model/snapshot.h"
#include "google/protobuf/arena.h"

namespace autopxe {

inline constexpr size_t kHostsPerPart = 500;

// The snapshot in parts of `hosts_per_part` hosts at most, in the order of their names: one part at
// least. No part is more than 2 MiB unless all settings, groups, profiles and declared distros
// alone are, which gRPC's default limit of 4 MiB for a message leaves room for. REQUIRES:
// hosts_per_part > 0.
std::vector<v1::SnapshotPart> ToProto(const Snapshot& snapshot,
                                      size_t hosts_per_part = kHostsPerPart);

// Calls visit(part) for each of these parts in turn: one is in memory at a time, and goes after the
// call.
void ForEachPart(const Snapshot& snapshot, absl::FunctionRef<void(v1::SnapshotPart&)> visit,
                 size_t hosts_per_part = kHostsPerPart);

// Where the parts of a snapshot are, one after the other: hundreds of thousands of little objects,
// in one block that most parts fit in. Not thread-safe.
class PartArena {
 public:
  PartArena() : block_(new char[kBlock]), arena_(block_.get(), kBlock) {}

  // An empty part; the one before it is gone.
  v1::SnapshotPart& Begin() {
    arena_.Reset();
    return *google::protobuf::Arena::CreateMessage<v1::SnapshotPart>(&arena_);
  }

 private:
  // About twice what a part of 500 usual hosts takes. It is kept from part to part: to give so much
  // back each time would have malloc tidy up each time.
  static constexpr size_t kBlock = 1 << 20;

  const std::unique_ptr<char[]> block_;
  google::protobuf::Arena arena_;
};

// The hosts of a part, which are nearly all that it costs: parts can be decoded side by side.
// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<std::vector<std::shared_ptr<const Host>>> HostsFromProto(
    const v1::SnapshotPart& part);

// Puts the parts of a snapshot together again. Not thread-safe.
class SnapshotAssembler {
 public:
  // Room for about `expected_hosts`; more may come.
  explicit SnapshotAssembler(size_t expected_hosts = 0) : expected_hosts_(expected_hosts) {}

  // The snapshot, if `part` completes one; nothing if more parts are to come. A first part drops
  // what was gathered before.
  // Errors: INVALID_ARGUMENT, naming the field and its value: a value does not parse, the part does
  // not belong to those before it, or the whole is no snapshot (two hosts share a MAC). All that
  // was gathered is dropped, and the next part must be a first one.
  absl::StatusOr<absl::optional<std::shared_ptr<const Snapshot>>> Add(const v1::SnapshotPart& part);

  // The same of a part whose hosts have been decoded; what hosts `part` has is not looked at.
  absl::StatusOr<absl::optional<std::shared_ptr<const Snapshot>>> Add(
      const v1::SnapshotPart& part, absl::StatusOr<std::vector<std::shared_ptr<const Host>>> hosts);

 private:
  struct Gathered {
    Revision revision;
    Settings settings;
    std::vector<AgentSettings> agent_settings;
    Snapshot::Groups groups;
    std::vector<Profile> profiles;
    std::vector<std::shared_ptr<const DeclaredDistro>> declared_distros;
    Snapshot::Builder hosts;
  };

  // Adds `part`, but for its hosts, to what was gathered.
  absl::Status Gather(const v1::SnapshotPart& part);

  const size_t expected_hosts_;
  absl::optional<Gathered> gathered_;
};

}  // namespace autopxe
