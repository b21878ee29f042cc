#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace autopxe::ctl {

// A message as JSON for scripts, by protobuf's own mapping: field names as in the .proto files,
// fields that hold their default included, 64-bit numbers as strings. ASCII only: what is not is
// written `\uXXXX`. Ends in a newline.
// Errors: INTERNAL: a value that JSON's mapping has no form for, such as a time after the year
// 9999.
absl::StatusOr<std::string> JsonText(const google::protobuf::Message& message);

}  // namespace autopxe::ctl
