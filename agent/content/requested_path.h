#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "boot/host_facts.h"
#include "common/model/mac_address.h"

namespace autopxe::agent {

// `autopxe-<mac>`: the menu of a host.
struct MenuPath {
  MacAddress mac;
  Stage stage;

  friend bool operator==(const MenuPath&, const MenuPath&) = default;
};

// `boot.ipxe`, or `autoexec.ipxe`, which newer builds of iPXE ask for by themselves.
struct StartScriptPath {
  friend bool operator==(const StartScriptPath&, const StartScriptPath&) = default;
};

// `undionly.kpxe`: any other name without a '/'.
struct LoaderPath {
  std::string name;

  friend bool operator==(const LoaderPath&, const LoaderPath&) = default;
};

// `boot/<distro>/<release>/<file>`. The distro and the release can be parts of a distro's name.
struct BootFilePath {
  std::string distro;
  std::string release;
  std::string file;  // Below the release.

  friend bool operator==(const BootFilePath&, const BootFilePath&) = default;
};

// `next/<mac>/<token>/boot/<distro>/<release>/<file>` or `next/<mac>/<token>/local`: the kernel of
// a host's next boot, or that it goes to its local disk. To fetch it uses that next boot up.
struct NextBootPath {
  MacAddress mac;
  int64_t token;                      // NextBoot::token.
  absl::optional<BootFilePath> file;  // Unset: `local`.

  friend bool operator==(const NextBootPath&, const NextBootPath&) = default;
};

// A path that a host may ask for, by its form alone. What is behind it is PathResolver's to say.
using RequestedPath =
    std::variant<MenuPath, StartScriptPath, LoaderPath, BootFilePath, NextBootPath>;

// Understands a path as a protocol carries it. One '/' at the beginning is left out of account. A
// MAC has any spelling that MacAddress::Parse takes; "autopxe-<mac>.poll" asks at Stage::kPoll. But
// behind "next/", which only our own scripts name, it is "52-54-00-12-34-56", and the token a
// number above 0 without leading zeros. Nothing is decoded, so '%' is in no path.
//
// Errors, which show the path escaped and cut:
//   INVALID_ARGUMENT: no path can be like that: it is empty or longer than 512 octets, it has a
//     part that is empty, "." or "..", a backslash, a '%', or a character that is not printable
//     ASCII; or its MAC is none.
//   NOT_FOUND: it has none of the forms above.
absl::StatusOr<RequestedPath> ParseRequestedPath(absl::string_view path);

// The one spelling of a path: "autopxe-525400123456". Never begins with '/'.
std::string FormatRequestedPath(const RequestedPath& path);

}  // namespace autopxe::agent
