#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/status/grpc_status.h"
#include "common/status/problem.h"

namespace autopxe::server {

// A read that names something which does not parse, or is not there.
inline grpc::Status ReadError(absl::StatusCode code, Reason reason, absl::string_view field,
                              const std::string& value, const std::string& message) {
  Problem problem;
  problem.reason = reason;
  problem.field = std::string(field);
  problem.value = value;
  problem.message = message;
  return ToGrpcStatus(code, message, {problem});
}

// The value of `field` does not parse, which `error` says in words.
inline grpc::Status Malformed(absl::string_view field, const std::string& value,
                              const absl::Status& error) {
  return ReadError(absl::StatusCode::kInvalidArgument, Reason::kMalformed, field, value,
                   std::string(error.message()));
}

}  // namespace autopxe::server
