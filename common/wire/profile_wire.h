#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/profile.h"

namespace autopxe {

v1::Profile ToProto(const Profile& profile);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Profile> FromProto(const v1::Profile& profile);

}  // namespace autopxe
