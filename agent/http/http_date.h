#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace autopxe::agent {

// RFC 9110, section 5.6.7: IMF-fixdate, such as "Sun, 06 Nov 1994 08:49:37 GMT".
std::string FormatHttpDate(absl::Time time);

// Any of the three forms of that section, to the second; nothing for what is none. A year of two
// digits that seems more than 50 years after `now` is in the past.
absl::optional<absl::Time> ParseHttpDate(absl::string_view text, absl::Time now);

}  // namespace autopxe::agent
