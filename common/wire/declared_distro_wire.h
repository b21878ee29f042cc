#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/configuration.pb.h"
#include "common/model/declared_distro.h"

namespace autopxe {

v1::DeclaredDistro ToProto(const DeclaredDistro& distro);

// Errors: INVALID_ARGUMENT, naming the field and its value. An architecture that this program does
// not know is unknown: what a newer server sends is followed.
absl::StatusOr<DeclaredDistro> FromProto(const v1::DeclaredDistro& distro);

}  // namespace autopxe
