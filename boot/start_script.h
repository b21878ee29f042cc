#pragma once

#include <string>

#include "boot/agent_context.h"
#include "boot/host_facts.h"
#include "common/model/ip_endpoint.h"

namespace autopxe {

// The script behind /boot.ipxe, autoexec.ipxe and a loader that iPXE itself asks for, the same for
// every host: goes on with the host's menu, by HTTP (whose query says what the host is: platform,
// buildarch, ip, uuid, serial) and else by TFTP, for as long as it takes.
std::string RenderIpxeStartScript(const AgentContext& agent, Transport transport,
                                  const IpAddress& asked_at);

}  // namespace autopxe
