#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace autopxe::agent {

// What a request line asks for (RFC 9112, section 3.2), decoded once.
struct RequestTarget {
  std::string path;                          // Begins with '/'. Valid UTF-8 without NUL.
  std::map<std::string, std::string> query;  // The first of several fields of one name.

  friend bool operator==(const RequestTarget&, const RequestTarget&) = default;
};

// Takes origin-form ("/path?name=value&...") and absolute-form ("http://host/path"), whose
// authority is left out of account. '+' is a plus: iPXE writes a blank as %20. Errors:
// INVALID_ARGUMENT, showing the target escaped and cut: another form, a bad or cut escape, an
// escaped NUL, or what is no UTF-8 when decoded (overlong forms and surrogates are not).
absl::StatusOr<RequestTarget> ParseRequestTarget(absl::string_view target);

}  // namespace autopxe::agent
