#pragma once

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

// What class Writer tells whoever waits for it.
namespace autopxe::server {

inline absl::Status Stopping() {
  return absl::UnavailableError("the server is stopping; try again");
}

// The status for a caller, who is to try again whatever failed.
inline absl::Status ForCaller(const absl::Status& status, absl::string_view consequence) {
  const absl::StatusCode code = status.code() == absl::StatusCode::kResourceExhausted
                                    ? absl::StatusCode::kResourceExhausted
                                    : absl::StatusCode::kUnavailable;
  return absl::Status(code, absl::StrCat(status.message(), "; ", consequence));
}

}  // namespace autopxe::server
