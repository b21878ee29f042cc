#pragma once

#include "absl/status/statusor.h"
#include "autopxe/v1/catalog.pb.h"
#include "common/model/catalog.h"

namespace autopxe {

v1::Catalog ToProto(const Catalog& catalog);

// Errors: INVALID_ARGUMENT, naming the field and its value, for whatever Catalog does not allow: a
// name that is no part of a distro, a path that leaves the release, names out of order or given
// twice, a size below 0, more than kMaxCatalogFiles files. An architecture that this program does
// not know is unknown.
absl::StatusOr<Catalog> FromProto(const v1::Catalog& catalog);

}  // namespace autopxe
