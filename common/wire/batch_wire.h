#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/mutation.h"
#include "common/status/problem.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace autopxe {

// What a changing request asks for, checked: the mutations, the expected etags, and the texts of
// `options` (request id and user), which are then as Revision wants them.
// Errors: INVALID_ARGUMENT, naming the first problem's mutation, field and value. Everything that
// is wrong, up to 100 problems, is added to `problems`.
absl::StatusOr<Batch> BatchFromProto(
    const google::protobuf::RepeatedPtrField<v1::Mutation>& mutations,
    const v1::RequestOptions& options, std::vector<Problem>& problems);

// The same for an ApplyRequest.
absl::StatusOr<Batch> BatchFromProto(const v1::ApplyRequest& request,
                                     std::vector<Problem>& problems);

}  // namespace autopxe
