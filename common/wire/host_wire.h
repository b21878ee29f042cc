#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/distro.h"
#include "common/model/host.h"

namespace autopxe {

v1::Host ToProto(const Host& host);

// The same into `result`, which is empty: for a host within a larger message, wherever that is.
void ToProto(const Host& host, v1::Host& result);

// Errors: INVALID_ARGUMENT, naming the field and its value.
absl::StatusOr<Host> FromProto(const v1::Host& host);

// The standing assignment that was parsed last.
struct LastDistro {
  std::string text;
  absl::optional<Distro> distro;  // Nothing for an empty text.
};

// The same of one of many hosts: those in a row that are assigned one distro share it.
absl::StatusOr<Host> FromProto(const v1::Host& host, LastDistro& last);

}  // namespace autopxe
