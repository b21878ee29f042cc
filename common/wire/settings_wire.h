#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/settings.h"
#include "google/protobuf/duration.pb.h"

namespace autopxe {

v1::Settings ToProto(const Settings& settings);

// An absent menu time-out is the default one.
// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Settings> FromProto(const v1::Settings& settings);

// A menu's time-out: whole seconds within Settings' limits.
// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<absl::Duration> MenuTimeoutFromProto(const google::protobuf::Duration& duration);

}  // namespace autopxe
