#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/agent.pb.h"
#include "common/model/agent_status.h"

namespace autopxe {

v1::AgentStatus ToProto(const AgentStatus& status);

// An absent revision is the one of all zeros, an absent start time the Unix epoch, an absent view's
// age unset.
// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<AgentStatus> FromProto(const v1::AgentStatus& status);

}  // namespace autopxe
