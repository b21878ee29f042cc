#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/agent_settings.h"

namespace autopxe {

v1::AgentSettings ToProto(const AgentSettings& settings);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<AgentSettings> FromProto(const v1::AgentSettings& settings);

}  // namespace autopxe
