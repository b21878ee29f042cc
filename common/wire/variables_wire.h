#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/name.h"
#include "google/protobuf/map.h"

namespace autopxe {

google::protobuf::Map<std::string, std::string> ToProto(
    const std::map<VariableName, VariableValue>& variables);

// The variables of the field `field`.
// Errors: INVALID_ARGUMENT, naming the field, the variable and its value; of several the first by
// name.
absl::StatusOr<std::map<VariableName, VariableValue>> FromProto(
    const google::protobuf::Map<std::string, std::string>& variables, absl::string_view field);

}  // namespace autopxe
