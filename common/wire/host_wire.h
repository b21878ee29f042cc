#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/host.h"

namespace autopxe {

v1::Host ToProto(const Host& host);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Host> FromProto(const v1::Host& host);

}  // namespace autopxe
