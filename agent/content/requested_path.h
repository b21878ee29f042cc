#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
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

// `files/<file>`: of the folder of files, for declared distros.
struct FilePath {
  std::string file;  // Below the folder: a path that BootFile::Parse takes.

  friend bool operator==(const FilePath&, const FilePath&) = default;
};

// What a next boot begins with: `begun` where the agent does not see that by a file of its own,
// since the host goes to its local disk or fetches its kernel elsewhere.
struct Begun {
  friend bool operator==(const Begun&, const Begun&) = default;
};

// `next/<mac>/<token>/boot/<distro>/<release>/<file>`, `next/<mac>/<token>/files/<file>` or
// `next/<mac>/<token>/begun`: what a host's next boot begins with. To fetch it uses that next boot
// up.
struct NextBootPath {
  MacAddress mac;
  int64_t token;  // NextBoot::token.
  std::variant<Begun, BootFilePath, FilePath> start;

  friend bool operator==(const NextBootPath&, const NextBootPath&) = default;
};

// A path that a host may ask for, by its form alone. What is behind it is PathResolver's to say.
using RequestedPath =
    std::variant<MenuPath, StartScriptPath, LoaderPath, BootFilePath, FilePath, NextBootPath>;

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
