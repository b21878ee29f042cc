#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace autopxe::ctl {

// A message as YAML for scripts: the same fields and values as JsonText, in the block style. ASCII
// only. Ends in a newline.
// Errors: those of JsonText.
absl::StatusOr<std::string> YamlText(const google::protobuf::Message& message);

}  // namespace autopxe::ctl
