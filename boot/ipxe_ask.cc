#include "boot/ipxe_ask.h"

namespace autopxe {
namespace {

constexpr int64_t kLeaseSeconds = 600;

}  // namespace

void AddAskSettings(IpxeScript& script, const MacAddress& mac, const AgentUris& uris) {
  script.Add("set _mac %s", {IpxeWord::Of(mac)});
  script.Add("set _menu autopxe-%s", {IpxeWord::HexRaw(mac)});
  if (uris.http.has_value()) {
    script.Add("set _http %s", {*uris.http});
  } else {
    script.Set("_http", "");
  }
  if (uris.tftp.has_value()) {
    script.Add("set _tftp %s", {*uris.tftp});
  } else {
    script.Set("_tftp", "");
  }
}

void AddAsk(IpxeScript& script, int64_t seconds) {
  // The counter is a setting, so that it counts on through the scripts that follow each other; one
  // for each pace.
  const IpxeWord pace = IpxeWord::Of(seconds);
  script.Add(":ask");
  script.Add("isset ${_lease%s} || set _lease%s:int32 0", {pace, pace});
  script.Add("inc _lease%s", {pace});
  script.Add("iseq ${_lease%s} %s || goto fetch", {pace, IpxeWord::Of(kLeaseSeconds / seconds)});
  script.Add(":renew");
  script.Add("set _lease%s:int32 0", {pace});
  script.Add("dhcp || echo No DHCP server answers.");
  script.Add(":fetch");
  // With a bare chain iPXE stops after a dozen scripts, since each stays on its stack.
  script.Add(
      "isset ${_http} && chain --timeout 3000 --replace --autofree "
      "${_http}${_menu}?stage=poll&platform=${platform}&buildarch=${buildarch} ||");
  script.Add(
      "isset ${_tftp} && chain --timeout 3000 --replace --autofree ${_tftp}${_menu}.poll ||");
  script.Add("echo The agent does not answer.");
  // A DHCP server that was away when the lease was renewed leaves the host without an address.
  script.Add("isset ${_deaf} || set _deaf:int32 0");
  script.Add("inc _deaf");
  script.Add("iseq ${_deaf} 5 || goto hold");
  script.Add("set _deaf:int32 0");
  script.Add("goto renew");
}

}  // namespace autopxe
