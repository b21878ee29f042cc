#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe::agent {

// What a file in a release's boot/ folder is, by its name alone.
struct BootFileName {
  enum class Kind {
    kKernel,        // vmlinuz-<version>
    kDebianInitrd,  // initrd.img-<version>: Debian, Ubuntu.
    kRpmInitrd,     // initramfs-<version>.img: openEuler, the RHEL family.
  };
  Kind kind;
  std::string version;  // Never empty; else unchecked.
};

// The kernel or initrd that `name` names, or nothing: System.map-*, config-*, and what kdump makes
// for itself (initramfs-<version>kdump.img).
absl::optional<BootFileName> ParseBootFileName(absl::string_view name);

// Whether it is the kernel that the RHEL family keeps for rescue ("0-rescue-<id>"), which is never
// a release's latest.
bool IsRescueKernel(absl::string_view version);

// The flavour of a kernel, empty for the plain one: the build that the distribution installs unless
// asked for another.
//
// A version is <upstream>[-<abi or release>][-<flavour>], where the first two begin with a digit.
// The plain flavours are no flavour at all ("6.6.63"), an architecture's name ("6.1.0-25-amd64",
// "6.1.0-25-686-pae", "6.12.9+bpo-arm64"), and the one that a distribution calls so: "generic"
// (Ubuntu, "5.15.0-91-generic"), "default" (SUSE), "pve" (Proxmox). Everything else is a flavour:
// "rt-amd64", "cloud-amd64", "generic-64k", "lowlatency", "custom". RPM has the architecture at the
// end of the release, and names another build behind it ("5.14.0-362.el9.x86_64+debug") or by "rt"
// and a number within it ("4.18.0-477.rt7.230.el8.x86_64"). A version that begins with a letter is
// all flavour ("linux-lts").
//
// An unknown word is a flavour, not plain: an upgrade may then be missed, but no host gets a kernel
// of a kind that nobody chose.
std::string KernelFlavour(absl::string_view version);

}  // namespace autopxe::agent
