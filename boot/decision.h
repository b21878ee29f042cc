#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/model/architecture.h"
#include "common/model/declared_distro.h"
#include "common/model/distro.h"

namespace autopxe {

// Why a decision's distro is what it is.
enum class DistroOrigin {
  kNextBoot,      // The host's assignment for its next boot.
  kTimed,         // The host's assignment that ends by itself.
  kHost,          // The host's standing assignment.
  kGroup,         // A group that the host is in.
  kAgentDefault,  // The default distro of the agent.
  kDefault,       // The global default distro.
  kUnknownHosts,  // The setting unknown-hosts: nobody has named this host.
  kNothing,       // Nothing is assigned and there is no default: the menu, and stay.
};

// What will happen.
enum class Outcome {
  kBoot,     // The kernel below is booted.
  kLocal,    // The local disk.
  kMenu,     // The menu is shown, and stays.
  kWait,     // The host holds and polls.
  kIgnore,   // The agent does not answer.
  kMissing,  // This agent can't boot the distro: the screen says so, and the host asks again.
};

enum class VariableOrigin { kGlobal, kAgent, kGroup, kHost, kBuiltIn };

// For one boot: which distro, which command line, and the origin of each part.
struct Decision {
  std::string host;  // The host's name; its MAC if nobody has named it.
  bool known = false;
  Distro distro = Distro::Menu();
  DistroOrigin distro_origin = DistroOrigin::kNothing;
  std::string distro_group;  // kGroup: which one.
  int64_t next_token = 0;    // kNextBoot: NextBoot::token.
  absl::Time timed_until;    // kTimed: when it ends.
  Outcome outcome = Outcome::kMenu;

  // Set when outcome is kBoot.
  std::string kernel_version;  // "6.1.0-25-amd64"; a kernel named "default" may have none.
  std::string release_folder;  // "bookworm" when the release is "stable", a link to it.
  Architecture architecture = Architecture::kUnknown;
  std::string kernel_path;  // Below the release.
  std::string initrd_path;
  std::string rootfs_path;
  std::string command_line;  // Expanded; may hold references that are left to iPXE.

  // Set when outcome is kBoot and a declared distro is what is booted: its files. Then only the
  // command line is set of those above, and the architecture.
  std::shared_ptr<const DeclaredDistro> declared;

  // kMissing: what is not there, and what is there instead, in words for the screen.
  std::string missing;

  struct Variable {
    std::string value;
    VariableOrigin origin;
    std::string group = "";  // kGroup: which one.

    friend bool operator==(const Variable&, const Variable&) = default;
  };
  std::map<std::string, Variable> variables;  // What the template could use, by name.
};

}  // namespace autopxe
