#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace autopxe {

// To the nanosecond; times that a Timestamp can't hold (before the year 1, after 9999) become its
// first or last.
google::protobuf::Timestamp ToProto(absl::Time time);

// Errors: INVALID_ARGUMENT, naming `field`, for what timestamp.proto does not allow.
absl::StatusOr<absl::Time> FromProto(const google::protobuf::Timestamp& time,
                                     absl::string_view field);

// To the nanosecond; what a Duration can't hold (10,000 years) becomes its first or last.
google::protobuf::Duration ToProto(absl::Duration duration);

// Errors: INVALID_ARGUMENT, naming `field`, for what duration.proto does not allow.
absl::StatusOr<absl::Duration> FromProto(const google::protobuf::Duration& duration,
                                         absl::string_view field);

}  // namespace autopxe
