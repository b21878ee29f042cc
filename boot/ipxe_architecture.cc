#include "boot/ipxe_architecture.h"

namespace autopxe {

void AddArchitectureSettings(IpxeScript& script, Architecture architecture) {
  const IpxeWord word = IpxeWord::Of(architecture);
  // Unset where iPXE does not say what it was built for.
  script.Add("set _skip_%s ${buildarch}", {word});
  script.Add("iseq ${buildarch} %s && set _skip_%s ||", {word, word});
  if (architecture == Architecture::kI386 || architecture == Architecture::kX86_64) {
    script.Add("iseq ${platform} pcbios && set _skip_%s ||", {word});
  }
}

void AddUnlessSkipped(IpxeScript& script, absl::Span<const Architecture> architectures) {
  for (size_t i = 0; i < architectures.size(); ++i) {
    const IpxeWord word = IpxeWord::Of(architectures[i]);
    if (i + 1 < architectures.size()) {
      script.AddStart("isset ${_skip_%s} && ", {word});
    } else {
      script.AddStart("isset ${_skip_%s} || ", {word});
    }
  }
}

void AddNothingForHost(IpxeScript& script, absl::Span<const Architecture> architectures) {
  for (const Architecture architecture : architectures) {
    script.AddStart("isset ${_skip_%s} && ", {IpxeWord::Of(architecture)});
  }
  script.Add("item --gap -- This agent has no kernel for ${buildarch}. ||");
}

void AddGoToOther(IpxeScript& script, Architecture architecture) {
  const IpxeWord word = IpxeWord::Of(architecture);
  script.Add("isset ${_skip_%s} && set _other %s && goto other ||", {word, word});
}

void AddOther(IpxeScript& script) {
  script.Add(":other");
  script.Add(
      "set _message:uristring "
      "${_first}%20is%20for%20${_other}%2C%20and%20this%20host%20is%20${buildarch}.");
  script.Add("echo MAC ${_mac}: ${_message:string}");
  script.Add("goto stay");
}

}  // namespace autopxe
