#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace autopxe::server {

// The status for a row whose text is no value any more: only other hands can have written it.
inline absl::Status DamagedRow(absl::string_view table, const absl::Status& why) {
  return absl::DataLossError(
      absl::StrCat("table ", table, ": ", why.message(), "; restore a backup"));
}

}  // namespace autopxe::server
