#pragma once

#include "boot/ipxe_script.h"
#include "common/model/command_line_template.h"

namespace autopxe {

// Adds the lines that set _cmdline to what `command_line` becomes for the host. iPXE expands the
// template itself, so that a variable changed in its shell counts.
void AddCommandLine(IpxeScript& script, const CommandLineTemplate& command_line);

}  // namespace autopxe
