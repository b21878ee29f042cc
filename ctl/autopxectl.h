#pragma once

#include <string>
#include <vector>

#include "ctl/session.h"

namespace autopxe::ctl {

// Runs one command line (without the program's name); returns the exit code, see exit_code.h. An
// error is one line on environment.err.
int Run(const std::vector<std::string>& args, const Environment& environment);

}  // namespace autopxe::ctl
