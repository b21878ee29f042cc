#pragma once

#include "boot/ipxe_script.h"
#include "boot/local_boot.h"

namespace autopxe {

// Adds the lines that leave iPXE for the host's local disk.
void AddLocalBoot(IpxeScript& script, LocalBoot way);

// The same for a script that every host has: the variable kLocalBoot says which way, as the host's
// own part has set or cleared it, and as somebody may have set it in iPXE's shell to try it. What
// is no value of it counts for nothing.
void AddLocalBootByVariable(IpxeScript& script);

}  // namespace autopxe
