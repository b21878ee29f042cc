#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "boot/agent_context.h"
#include "common/model/architecture.h"
#include "common/model/catalog.h"
#include "common/model/command_line_template.h"
#include "common/model/declared_distro.h"
#include "common/model/distro.h"
#include "common/model/name.h"
#include "common/model/snapshot.h"

namespace autopxe {

// A key that chooses an entry: for consoles without arrow keys, such as a BIOS's serial one.
inline constexpr char kNoKey = '\0';

// Keys that the main menu and a sub-menu keep for themselves.
inline constexpr char kFirstEntryKey = '0';
inline constexpr char kConfigureKey = 'c';
inline constexpr char kShellKey = 's';
inline constexpr char kRebootKey = 'r';
inline constexpr char kLocalKey = 'x';
inline constexpr char kBackKey = 'b';

// An entry that boots.
struct MenuEntry {
  Distro distro;  // A kernel.
  char key = kNoKey;
};

// A kernel with the entries that boot it, one for each profile.
struct MenuKernel {
  std::string kernel_file;  // As a host asks the agent for it, without a leading '/'.
  std::string initrd_file;
  std::string rootfs_path;
  // Of the kernel's other built-ins those that a profile uses, by name.
  std::map<std::string, std::string> variables;
  Architecture architecture = Architecture::kUnknown;
  std::vector<MenuEntry> entries;  // One at least, ascending by profile.
};

// What the entry of one distro's name opens.
struct SubMenu {
  char key = kNoKey;
  // One at least: releases ascending, kernels in the catalog's order.
  std::vector<MenuKernel> kernels;

  const std::string& name() const { return kernels.front().entries.front().distro.name(); }

  // What its kernels run on, ascending; empty if that is unknown of any.
  std::vector<Architecture> Architectures() const;
};

struct MenuProfile {
  ProfileName name;
  CommandLineTemplate command_line;
  std::string problem;  // Why no host can use it, in words for the screen; else empty.
  // What it needs and the agent has no value for, each once: it is for hosts that have their own.
  std::vector<VariableName> unset;
};

// A declared distro, which is an entry of the main menu.
struct MenuDeclared {
  std::shared_ptr<const DeclaredDistro> distro;
  char key = kNoKey;
  // Of its arguments, as in MenuProfile. What is chained has none.
  std::string problem;
  std::vector<VariableName> unset;

  // Null: it is chained.
  const DeclaredKernel* kernel() const { return std::get_if<DeclaredKernel>(&distro->boot); }
};

// What all hosts of an agent are offered besides their own decision. The same for all of them, and
// the greater part of a menu.
struct Menu {
  std::vector<SubMenu> distros;        // Ascending by name.
  std::vector<MenuProfile> profiles;   // Ascending by name.
  std::vector<MenuDeclared> declared;  // Ascending by name.

  // All that are known of anything that it offers, ascending.
  std::vector<Architecture> Architectures() const;
  // Those of the scanned kernels. Empty if there are none, or if it is not known of all what they
  // run on.
  std::vector<Architecture> KernelArchitectures() const;

  // Whether a profile or a declared distro that hosts can use refers to `name`.
  bool Uses(absl::string_view name) const;
};

// Every profile for every kernel of every release that the catalog has, in a fixed order, then
// every declared distro of whose files the agent lacks none. What no distro can name
// (Distro::Parse) is left out.
Menu BuildMenu(const Snapshot& snapshot, const Catalog& catalog, const AgentContext& agent);

}  // namespace autopxe
