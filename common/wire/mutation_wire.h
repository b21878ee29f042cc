#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/mutation.h"

namespace autopxe {

v1::Mutation ToProto(const Mutation& mutation);
v1::ExpectedEtag ToProto(const ExpectedEtag& expected);

// A host to create is named by its first MAC if it has no name; its MACs may come in any order. A
// menu time-out of zero is the default one.
// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Mutation> FromProto(const v1::Mutation& mutation);
absl::StatusOr<UpdateSettings> FromProto(const v1::Mutation::UpdateSettings& update);
absl::StatusOr<ExpectedEtag> FromProto(const v1::ExpectedEtag& expected);

}  // namespace autopxe
