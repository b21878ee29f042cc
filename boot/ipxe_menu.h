#pragma once

#include <set>

#include "boot/ipxe_script.h"
#include "boot/menu.h"
#include "common/model/name.h"

namespace autopxe {

// What the host's own part of a script must have set, besides AddAskSettings, before it falls into
// the shared menu (at label `menu`) or goes to another label of it (`hold`: asks again what to
// boot; or a distro: boots that):
//   host, agent-address, and the user's variables, by their names; what SharedMenu says of them
//   _first, _first_text   the first entry: the label where it goes, and what it says
//   _timeout              milliseconds until the first entry is taken; 0: never
//   _message              text above the entries, or unset
//   _look                 seconds to read a command line before it is booted
// Where it goes to a distro and not into the menu, which sets these too:
//   _once                 see AddFirst, or unset
//   _load                 unset
//
// Where the decision's distro is a kernel that the host can't run, the host's own part goes to the
// label `other` (see ipxe_architecture.h).
//
// The menu, its sub-menus and all that it can do: the same for every host of an agent, however it
// asked.
struct SharedMenu {
  IpxeScript settings;  // Goes into the host's own part.
  IpxeScript labels;

  // Variables that the menu's templates can do without, or that not every host has. A host's own
  // part clears those that it does not set, since iPXE keeps what an earlier script has set.
  std::set<VariableName> optional;
  // Of these the ones that a template needs. iPXE can't tell an empty setting from none, so a
  // host's own part sets _empty_<name> where the variable is set and empty.
  std::set<VariableName> needed;
  // Whether the host's own part sets these.
  bool uses_bootif = false;
  bool uses_agent = false;
  // Whether declared distros are offered. Then _load is the label that loads what was chosen, where
  // that is one of them, and else unset.
  bool has_declared = false;
};
SharedMenu RenderSharedMenu(const Menu& menu);

}  // namespace autopxe
