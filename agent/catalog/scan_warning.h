#pragma once

#include <compare>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace autopxe::agent {

// Something that looks as if it were meant to be offered, and is not, or can't be read now.
struct ScanWarning {
  // Below the rootfs or the loaders folder, such as "debian/trixie"; of the folder of files with
  // "files/" in front, which alone is that folder. May hold any byte.
  std::string path;
  // A clause: "no kernel with an initrd of the same version".
  std::string reason;
  // It can't be read now, and what was offered of it before still is.
  bool is_kept = false;

  friend bool operator==(const ScanWarning&, const ScanWarning&) = default;
  friend auto operator<=>(const ScanWarning&, const ScanWarning&) = default;
};

// The reason where the system refuses to read.
inline std::string CantRead(const absl::Status& error) {
  return absl::StrCat("can't be read: ", error.message());
}

// The reason where a name can't be a part of a distro's.
inline constexpr char kNotAPart[] =
    "not a name that can be a part of a distro's (1 to 128 letters, digits, '.', '_', '-', '+', "
    "'~', the first one a letter or a digit)";

}  // namespace autopxe::agent
