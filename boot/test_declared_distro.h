#pragma once

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "boot/boot.h"
#include "boot/sample.h"

// For tests of declared distros: a site that declares some, and the scripts of a host of its own.
namespace autopxe {

inline constexpr char kHostMac[] = "52:54:00:12:34:56";

// A kernel alone, one of a mirror with an initrd of the agent's before its own, a script of a
// mirror, and a program of the agent's.
inline Sample Declaring() {
  Sample sample;
  sample.SetFiles({"d-i/firmware.cpio.gz", "fw/update.efi", "memtest/mt86+.bin"});
  sample.DeclareKernel("installer", "http://mirror.example/linux?x=1&y=%2f",
                       {"d-i/firmware.cpio.gz", "http://mirror.example/initrd.gz"},
                       "auto hostname=${host} console=${console:-ttyS0} url=${preseed}");
  sample.DeclareChain("menu2", "https://mirror.example:8443/boot.ipxe");
  sample.DeclareKernel("memtest", "memtest/mt86+.bin", {}, "");
  sample.DeclareChain("update", "fw/update.efi", Architecture::kX86_64);
  sample.settings.variables = VariablesOf({{"preseed", "http://10.77.0.1/p"}});
  return sample;
}

// The script of a host that is assigned `distro`, or which boots it once.
inline std::string Script(Sample sample, absl::string_view distro,
                          Transport transport = Transport::kHttp, Stage stage = Stage::kPoll,
                          bool next = false) {
  sample.AddHost("node2", kHostMac, next ? "local" : distro);
  if (next) {
    Host host = *sample.hosts.back();
    host.next = NextBoot{*Distro::Parse(distro), 17};
    sample.hosts.back() = std::make_shared<const Host>(host);
  }
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kHostMac, transport, stage),
              absl::UnixEpoch())
      .script;
}

inline std::string NextScript(const Sample& sample, absl::string_view distro,
                              Transport transport = Transport::kHttp) {
  return Script(sample, distro, transport, Stage::kPoll, true);
}

}  // namespace autopxe
