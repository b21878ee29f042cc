#include "boot/start_script.h"

#include "boot/agent_uris.h"
#include "boot/ipxe_script.h"

namespace autopxe {

std::string RenderIpxeStartScript(const AgentContext& agent, Transport transport,
                                  const IpAddress& asked_at) {
  const AgentUris uris = BuildAgentUris(agent, transport, asked_at);
  IpxeScript script;
  script.Add("#!ipxe");
  script.Add(":start");
  script.Add("isset ${ip} || dhcp ||");
  // iPXE drops a query over TFTP. The serial number comes last: it is any text, and iPXE leaves an
  // '&' in it as it is.
  if (uris.http.has_value()) {
    script.Add(
        "chain --timeout 3000 --replace --autofree "
        "%sautopxe-${mac:hexraw}?platform=${platform}&buildarch=${buildarch}&ip=${ip}"
        "&uuid=${uuid}&serial=${serial:uristring} ||",
        {*uris.http});
  }
  if (uris.tftp.has_value()) {
    script.Add("chain --timeout 3000 --replace --autofree %sautopxe-${mac:hexraw} ||",
               {*uris.tftp});
  }
  script.Add("echo The agent has no answer for MAC ${mac}. Next try in 5 s.");
  // iPXE never renews its lease, and one that could not be had at first may be had now.
  script.Add("isset ${_starts} || set _starts:int32 0");
  script.Add("inc _starts");
  script.Add("iseq ${_starts} 12 || goto rest");
  script.Add("set _starts:int32 0");
  script.Add("dhcp || echo No DHCP server answers.");
  script.Add(":rest");
  script.Add("sleep 5 ||");
  script.Add("goto start");
  return script.text();
}

}  // namespace autopxe
