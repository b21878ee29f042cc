#pragma once

#include "autopxe/v1/decision.pb.h"
#include "boot/decision.h"
#include "boot/resolution.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "common/model/name.h"

namespace autopxe::server {

v1::VariableOrigin EncodeOrigin(VariableOrigin origin);

// What an agent would decide for a host that has this MAC.
v1::Decision EncodeDecision(const Decision& decision, const MacAddress& mac, const AgentId& agent);

// What the configuration alone says of the host that has `mac`; `host` is null for one that nobody
// has named.
v1::Decision EncodeChosen(const ChosenDistro& chosen, const MacAddress& mac, const Host* host);

}  // namespace autopxe::server
