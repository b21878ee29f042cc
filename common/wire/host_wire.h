#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/host.h"

namespace autopxe {

v1::Host ToProto(const Host& host);

// The same into `result`, which is empty: for a host within a larger message, wherever that is.
void ToProto(const Host& host, v1::Host& result);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Host> FromProto(const v1::Host& host);

}  // namespace autopxe
