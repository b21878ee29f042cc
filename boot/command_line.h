#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/model/command_line_template.h"

namespace autopxe {

// The longest command line that is booted, in characters: Linux on x86 takes 2,047, and iPXE puts
// "<kernel's name> initrd=initrd.img " in front.
inline constexpr size_t kMaxCommandLine = 1900;

// Variables that every template can use without anybody setting them; no variable can bear such a
// name:
// Where the host's root file system is on the NFS server.
inline constexpr char kRootfsPath[] = "rootfs-path";
// The host's name; its MAC if nobody has named it.
inline constexpr char kHost[] = "host";
// "52:54:00:12:34:56": by which the host is known here.
inline constexpr char kMac[] = "mac";
// "01-52-54-00-12-34-56": the same as pxelinux writes it in its BOOTIF, for initrds that look for
// the interface that booted. (RFC 1700's hardware type of Ethernet in front.)
inline constexpr char kBootIf[] = "bootif";
// Where the host reaches the agent.
inline constexpr char kAgentAddress[] = "agent-address";
// The agent's id.
inline constexpr char kAgent[] = "agent";
// The distro: "debian/bookworm/latest/overlayfs".
inline constexpr char kDistro[] = "distro";
// Of which the first part: "debian".
inline constexpr char kDistroName[] = "distro-name";
// The release's folder: "bookworm" also when the distro says "stable", a link to it.
inline constexpr char kRelease[] = "release";
// The kernel's version: "6.1.0-25-amd64" also when the distro says "latest". If it has none, the
// name by which the distro has it.
inline constexpr char kKernel[] = "kernel";
// What the kernel runs on (FormatArchitecture), or "unknown". Not what the host says of itself:
// that is iPXE's ${buildarch}, which is i386 on every BIOS.
inline constexpr char kArch[] = "arch";

// The built-ins above, ascending.
absl::Span<const absl::string_view> BuiltInVariables();

bool IsBuiltInVariable(absl::string_view name);

// Whether it is a built-in that only a kernel of a catalog has, so that a declared distro's
// arguments can't use it.
bool NeedsScannedKernel(absl::string_view name);

// Whether a reference is left to iPXE: a name with '/' or ':', or one of iPXE's own settings.
bool IsLeftToIpxe(absl::string_view name);

// Whether a variable can bear this name, so that somebody can set it.
bool CanBeSet(absl::string_view name);

// The variables that somebody must set for `command_line`, each once, in the order in which they
// are used: those that it uses without a default.
std::vector<std::string> RequiredVariables(const CommandLineTemplate& command_line);

// The references whose default could never be used, each once, by name: iPXE fills them in, or they
// always have a value.
std::vector<std::string> UselessDefaults(const CommandLineTemplate& command_line);

// What a piece that isn't left to iPXE becomes, as ExpandCommandLine does it. REQUIRES: a reference
// has a value or a default.
const std::string& PieceText(const CommandLineTemplate::Piece& piece,
                             absl::FunctionRef<const std::string*(absl::string_view)> value_of);

// The command line with every reference replaced by its value, save those left to iPXE, which stay
// as they are, without a default. A default stands in for a value that isn't there and, as in a
// shell, for one that is empty. `value_of` yields a variable's value, or null.
// Errors: NOT_FOUND, naming the variables that have no value; INVALID_ARGUMENT if it gets too long,
// if text and values together make a "${" that iPXE would expand, or if a value isn't printable
// ASCII. The message says it in words for the screen, without naming the profile.
absl::StatusOr<std::string> ExpandCommandLine(
    const CommandLineTemplate& command_line,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of);

}  // namespace autopxe
