#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/status/problem.h"
#include "grpcpp/support/status.h"

namespace autopxe {

// The same code and message. A message is cut after 1,024 octets, since trailing metadata of more
// than 8 KiB would fail the call in a way that hides the error.
grpc::Status ToGrpcStatus(const absl::Status& status);

// An error that a program can read: `problems` travel as error details (StatusDetails in
// autopxe/v1/error.proto), in their order, as many of them as 3 KiB hold, and the first one in any
// case. Their texts are cut after 256 octets; one that is not printable ASCII is escaped as in C.
// REQUIRES: code is not OK.
grpc::Status ToGrpcStatus(absl::StatusCode code, absl::string_view message,
                          absl::Span<const Problem> problems);

// The same code and message, without the details. A code that gRPC does not define becomes UNKNOWN.
absl::Status ToAbslStatus(const grpc::Status& status);

// The problems among the details of a failed call; none if it carries no details or they do not
// parse. A reason that this program does not know becomes Reason::kMalformed.
std::vector<Problem> ProblemsOf(const grpc::Status& status);

}  // namespace autopxe
