#pragma once

#include <map>
#include <string>

#include "common/model/distro.h"

namespace autopxe {

// Why a decision's distro is what it is.
enum class DistroOrigin {
  kHost,          // The host's standing assignment.
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

enum class VariableOrigin { kGlobal, kAgent, kBuiltIn };

// For one boot: which distro, which command line, and the origin of each part.
struct Decision {
  std::string host;  // The host's name; its MAC if nobody has named it.
  bool known = false;
  Distro distro = Distro::Menu();
  DistroOrigin distro_origin = DistroOrigin::kNothing;
  Outcome outcome = Outcome::kMenu;

  // Set when outcome is kBoot.
  std::string kernel_version;  // "6.1.0-25-amd64"; empty for the kernel named "default".
  std::string release_folder;  // "bookworm" when the release is "stable", a link to it.
  std::string kernel_path;     // Below the release.
  std::string initrd_path;
  std::string rootfs_path;
  std::string command_line;  // Expanded; may hold references that are left to iPXE.

  // kMissing: what is not there, and what is there instead, in words for the screen.
  std::string missing;

  struct Variable {
    std::string value;
    VariableOrigin origin;

    friend bool operator==(const Variable&, const Variable&) = default;
  };
  std::map<std::string, Variable> variables;  // What the template could use, by name.
};

}  // namespace autopxe
