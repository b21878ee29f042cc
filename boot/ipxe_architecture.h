#pragma once

#include "absl/types/span.h"
#include "boot/ipxe_script.h"
#include "common/model/architecture.h"

namespace autopxe {

// How a script keeps kernels from hosts that can't run them. The path of a menu says nothing of the
// host, so the script asks iPXE: ${buildarch} and ${platform}. An x86 kernel is for every `pcbios`
// host, since iPXE says `i386` of 64-bit ones too; on UEFI it is for its own architecture. What is
// unknown, of the kernel or of the host, is offered.
//
// REQUIRES of all below: no architecture is kUnknown.

// The lines that set _skip_<architecture> where the host can't run it, and clear it elsewhere.
void AddArchitectureSettings(IpxeScript& script, Architecture architecture);

// A condition in front of the next line, which is then for hosts that can run one of these. None at
// all: no condition.
void AddUnlessSkipped(IpxeScript& script, absl::Span<const Architecture> architectures);

// A line of a menu, for hosts that can run none of these. REQUIRES: one at least.
void AddNothingForHost(IpxeScript& script, absl::Span<const Architecture> architectures);

// A line that goes to the label `other` where the host can't run it. REQUIRES: _first is set to a
// distro.
void AddGoToOther(IpxeScript& script, Architecture architecture);

// The label `other`: tells that _first is for another architecture, and goes on to the label `stay`
// with that as the menu's message.
void AddOther(IpxeScript& script);

}  // namespace autopxe
