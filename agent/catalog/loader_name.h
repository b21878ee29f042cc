#pragma once

#include "absl/strings/string_view.h"

namespace autopxe::agent {

// Whether a file of this name is one that firmware loads over the network and runs: .efi, .pxe,
// .kpxe, .kkpxe, .kkkpxe (iPXE's for BIOS: they unload nothing, or keep UNDI, or PXE and UNDI) and
// .lkrn (for another loader). Not .iso and .usb, which are images of disks. Its characters are
// those of a part of a distro.
bool IsLoaderName(absl::string_view name);

}  // namespace autopxe::agent
