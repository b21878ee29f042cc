#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace autopxe {

// A setting that iPXE itself knows by name.
struct IpxeSetting {
  absl::string_view name;
  bool is_text;  // Any text (a host name), rather than an address, a number or hexadecimal digits.
};

// The printed list of iPXE's own settings, ascending by name: those of iPXE 1.0.0 (2019) to 1.21,
// x86 and arm64. In a template they are left to iPXE, and no variable can bear such a name.
absl::Span<const IpxeSetting> IpxeSettings();

// Whether iPXE takes `name` for a setting of its own: one of the list, or a DHCP option by number
// ("17", "175.176", "0xaf"). Names are case-sensitive, as in iPXE.
bool IsIpxeSetting(absl::string_view name);

// How a script must write a reference to what is left to iPXE, such as "hostname", "net0/mac" or
// "serial:string", in a percent-encoded text that iPXE decodes again: "${hostname:uristring}",
// "${net0/mac}", "${serial:uristring}". Asking for a setting that isn't a text as text gives its
// octets, so those keep their own form, which has no '%'. REQUIRES: `name` is a reference of a
// CommandLineTemplate.
std::string FormatIpxeReference(absl::string_view name);

}  // namespace autopxe
