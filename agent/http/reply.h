#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "agent/content/content.h"
#include "agent/content/path_resolver.h"

namespace autopxe::agent {

// The fields of a request that its answer depends on, besides what was asked for.
struct ReplyConditions {
  bool is_get = true;  // Else HEAD, for which a Range means nothing (RFC 9110, section 14.2).
  absl::optional<std::string> range;
  absl::optional<std::string> if_range;
  absl::optional<std::string> if_match;
  absl::optional<std::string> if_none_match;
  absl::optional<std::string> if_modified_since;
  absl::optional<std::string> if_unmodified_since;
  // Tells whether a date can tell two versions of a file apart, and one answer with a file that is
  // not settled from the next.
  absl::Time now;
};

// An answer, but for what the protocol adds itself: Content-Length, Date, and for HEAD the absence
// of a body.
struct Reply {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> fields;
  // The body: `length` bytes of the content from `offset` on; of a 304, what it would have been.
  // Never null.
  std::shared_ptr<const Content> content;
  uint64_t offset = 0;
  uint64_t length = 0;
};

// The answer with what was found. A file has an entity tag and may be kept, but not used without
// asking again ("no-cache"): Debian's links lead to another kernel under the same name. While it is
// not settled (Content::Identity) the tag is weak, and another one in each answer. Conditions are
// looked at in the order of RFC 9110, section 13.2.2. What is rendered is not kept at all, and has
// neither validators nor ranges: conditions mean nothing for it.
Reply BuildReply(const ReplyConditions& conditions, const ResolvedContent& found);

// The answer to a request that failed: the message and a newline. NOT_FOUND is 404,
// INVALID_ARGUMENT 400, UNIMPLEMENTED 405, UNAVAILABLE 503, everything else 500.
Reply BuildErrorReply(const absl::Status& error);

// What the log calls a failure: "not-found", "refused", "unavailable", or "failed".
absl::string_view ErrorResult(const absl::Status& error);

}  // namespace autopxe::agent
