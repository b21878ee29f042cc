#pragma once

#include <cstdint>

#include "boot/agent_uris.h"
#include "boot/ipxe_script.h"
#include "common/model/mac_address.h"

namespace autopxe {

// The part of a script that asks the agent again, for as long as it takes.
//
// Settings of a script's own begin with '_', as no user's variable can: _mac and _menu (the host's
// MAC and the path of its menu), _http and _tftp (what goes in front of a path; unset where the
// agent does not serve that protocol).

// Sets what AddAsk needs. Every script sets all of it, since settings outlive the script that a
// `chain --replace` ends.
void AddAskSettings(IpxeScript& script, const MacAddress& mac, const AgentUris& uris);

// Adds the label `ask`: goes on with the host's menu as the agent has it now, at Stage::kPoll, by
// HTTP and else by TFTP. If neither answers, goes to the label `hold`, which the caller adds: it
// waits `seconds` and goes to `ask`. iPXE never renews its lease, so DHCP is asked again about
// every ten minutes, and when nobody answers for long.
void AddAsk(IpxeScript& script, int64_t seconds);

}  // namespace autopxe
