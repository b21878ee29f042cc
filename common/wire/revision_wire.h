#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/revision.h"

namespace autopxe {

v1::RevisionId ToProto(const RevisionId& id);
v1::Revision ToProto(const Revision& revision);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<RevisionId> FromProto(const v1::RevisionId& id);

// An absent time is the Unix epoch.
// Errors: INVALID_ARGUMENT, naming the field and its value; also when the id is absent.
absl::StatusOr<Revision> FromProto(const v1::Revision& revision);

}  // namespace autopxe
