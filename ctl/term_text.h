#pragma once

#include <variant>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace autopxe::ctl {

// When something ends, as people say it: after a time ("2h", "90m", "3d", "1d12h"; see
// ParseDurationText), or at one as RFC 3339 writes it ("2026-12-01T08:00:00Z"), where the seconds
// may be left out, and the offset: then it is in `zone`. Errors: a usage error, naming the text and
// what is expected. Whether it can be is the server's business.
absl::StatusOr<std::variant<absl::Duration, absl::Time>> ParseEnd(absl::string_view text,
                                                                  absl::TimeZone zone);

}  // namespace autopxe::ctl
