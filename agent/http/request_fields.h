#pragma once

#include <string>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe::agent {

// The fields of a request's head, as libmicrohttpd has cut them.
class RequestFields {
 public:
  // Both must outlive this object: libmicrohttpd keeps a request's head until it is done.
  void Add(absl::string_view name, absl::string_view value);

  // Whether every program understands the same request: libmicrohttpd takes more than RFC 9112
  // lets it, and what another program on the way takes for a field of its own, or for part of a
  // body, must not pass here as something else. Errors: INVALID_ARGUMENT: a name that is no token
  // ("Content-Length :", a folded line), a control character in a value, two Hosts, or a sign of a
  // body: there is none here, so nothing depends on how its end is found.
  absl::Status Check() const;

  // The value; nothing if there is no such field. Several are one list (RFC 9110, section 5.2), so
  // that what may be there only once parses as nothing.
  absl::optional<std::string> Find(absl::string_view name) const;

 private:
  // More than firmware sends.
  absl::InlinedVector<std::pair<absl::string_view, absl::string_view>, 8> fields_;
};

}  // namespace autopxe::agent
