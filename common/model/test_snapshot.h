#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/model/snapshot.h"

// What tests make snapshots of. Words become values; the test ends if they can't.
namespace autopxe {

inline HostName NameOf(absl::string_view text) { return HostName::Parse(text).value(); }
inline MacAddress MacOf(uint64_t number) { return MacAddress::FromNumber(0x020000000000 + number); }
inline ProfileName ProfileNameOf(absl::string_view text) {
  return ProfileName::Parse(text).value();
}

inline std::shared_ptr<const Host> MakeHost(int64_t id, absl::string_view name,
                                            std::vector<MacAddress> macs, int64_t etag = 1) {
  return std::make_shared<const Host>(
      Host{.id = HostId{id}, .name = NameOf(name), .macs = std::move(macs), .etag = etag});
}

inline Profile MakeProfile(absl::string_view name, absl::string_view command_line) {
  return Profile{ProfileNameOf(name), CommandLineTemplate::Parse(command_line).value(), 1};
}

inline Revision RevisionOf(int64_t number) {
  Revision revision;
  revision.id = {number, static_cast<uint64_t>(number) * 77};
  return revision;
}

inline Change StepAfter(const Snapshot& snapshot) {
  Change change;
  change.base = snapshot.revision().id;
  change.revision = RevisionOf(snapshot.revision().id.number + 1);
  return change;
}

inline AgentId AgentIdOf(absl::string_view text) { return AgentId::Parse(text).value(); }

inline AgentSettings SettingsOf(absl::string_view agent, Distro default_distro) {
  return {.agent = AgentIdOf(agent),
          .default_distro = std::move(default_distro),
          .variables = {},
          .rootfs_path_prefix = {}};
}

// Hosts a and b, two profiles, and the settings of two agents.
inline std::shared_ptr<const Snapshot> TwoHosts() {
  return Snapshot::Create(
             RevisionOf(5), Settings(),
             {MakeProfile("overlayfs", "ro"), MakeProfile("nfsrw", "rw")},
             {MakeHost(1, "a", {MacOf(1), MacOf(2)}), MakeHost(2, "b", {MacOf(3)})},
             {SettingsOf("rack1", Distro::Local()), SettingsOf("rack2", Distro::Wait())})
      .value();
}

}  // namespace autopxe
