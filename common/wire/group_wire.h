#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/group.h"

namespace autopxe {

v1::Group ToProto(const Group& group);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Group> FromProto(const v1::Group& group);

// Refuses a priority that no group can have.
absl::Status CheckGroupPriority(int32_t priority);

}  // namespace autopxe
