#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/map.h"

namespace autopxe::ctl {

// Puts what "key=value" says into `values`; the value may be empty, and hold '='. `what`: of what
// kind it is, for messages: "variable".
// Errors: a usage error: no '=', no key, or a key that is there already.
absl::Status AddKeyValue(absl::string_view what, absl::string_view text,
                         google::protobuf::Map<std::string, std::string>& values);

// "gpu=a100,rack=r1", in the order of the keys.
std::string KeyValuesText(const google::protobuf::Map<std::string, std::string>& values);

}  // namespace autopxe::ctl
