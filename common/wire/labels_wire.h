#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/label.h"
#include "google/protobuf/map.h"

namespace autopxe {

google::protobuf::Map<std::string, std::string> LabelsToProto(const Labels& labels);

// The labels of the field `field`.
// Errors: INVALID_ARGUMENT, naming the field, the label and its value; of several the first by key.
absl::StatusOr<Labels> LabelsFromProto(
    const google::protobuf::Map<std::string, std::string>& labels, absl::string_view field);

}  // namespace autopxe
