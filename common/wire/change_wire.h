#pragma once

#include <memory>

#include "absl/status/statusor.h"
#include "autopxe/v1/agent.pb.h"
#include "common/model/snapshot.h"

namespace autopxe {

v1::Change ToProto(const Change& change);

// Errors: INVALID_ARGUMENT, naming the field and its value; also when the revision is not above the
// base.
absl::StatusOr<std::shared_ptr<const Change>> FromProto(const v1::Change& change);

}  // namespace autopxe
