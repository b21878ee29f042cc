#pragma once

#include <cstdint>

#include "common/model/command_line_template.h"
#include "common/model/name.h"

namespace autopxe {

// A named template of a kernel command line.
struct Profile {
  ProfileName name;
  CommandLineTemplate command_line;
  int64_t etag = 0;  // The revision that changed it last.

  friend bool operator==(const Profile&, const Profile&) = default;
};

}  // namespace autopxe
