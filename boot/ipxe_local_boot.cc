#include "boot/ipxe_local_boot.h"

namespace autopxe {
namespace {

void AddAnnouncement(IpxeScript& script) { script.Add("echo Going on with the local disk."); }

// UEFI takes an exit without an error for success and opens its set-up screen (OVMF); with one it
// tries its next boot option.
void AddExit(IpxeScript& script) { script.Add("iseq ${platform} efi && exit 1 || exit"); }

}  // namespace

void AddLocalBoot(IpxeScript& script, LocalBoot way) {
  AddAnnouncement(script);
  switch (way) {
    case LocalBoot::kExit:
      AddExit(script);
      break;
    case LocalBoot::kExitOk:
      script.Add("exit");
      break;
    case LocalBoot::kSanBoot:
      // The first disk as the BIOS counts them. Nothing is hooked that could be described to the
      // system (iBFT). On UEFI iPXE 1.0.0 knows no disk but those that it hooked, and the command
      // fails.
      script.Add("sanboot --no-describe --drive 0x80 ||");
      AddExit(script);
      break;
  }
}

void AddLocalBootByVariable(IpxeScript& script) {
  AddAnnouncement(script);
  static_assert(absl::string_view(kLocalBoot) == "local-boot");
  // As AddLocalBoot has it. ("--", since the value may begin with a dash.)
  script.Add("iseq -- ${local-boot:string} sanboot && sanboot --no-describe --drive 0x80 ||");
  script.Add("iseq -- ${local-boot:string} exit-ok && exit ||");
  AddExit(script);
}

}  // namespace autopxe
