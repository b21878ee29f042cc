#pragma once

#include "absl/types/span.h"
#include "boot/ipxe_script.h"
#include "boot/menu.h"

namespace autopxe {

// What the shared menu (ipxe_menu.h) has for declared distros.

// The entry in the main menu.
void AddDeclaredItem(IpxeScript& script, const MenuDeclared& declared);

// The label IpxeWord::LabelOf, which sets what is the distro's and goes on to the label `boot`; and
// load/<name>, which loads its files: below the agent's folder of files from where _way says, with
// _patience for a time-out and _else for the label to go to if it fails.
void AddDeclared(IpxeScript& script, const MenuDeclared& declared);

// What they share: `by_http`, which goes to the label _load with the agent's HTTP and then with its
// TFTP; `begin`, which tells the agent that a next boot begins, where _once says that this is one,
// and goes on to the label _start; and `chain`.
void AddDeclaredLoading(IpxeScript& script, absl::Span<const MenuDeclared> all);

}  // namespace autopxe
