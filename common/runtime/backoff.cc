#include "common/runtime/backoff.h"

#include <algorithm>
#include <cstdint>

#include "absl/base/internal/raw_logging.h"
#include "absl/random/random.h"

namespace autopxe {

Backoff::Backoff(absl::Duration first, absl::Duration most)
    : first_(first), most_(most), limit_(first) {
  ABSL_RAW_CHECK(absl::ZeroDuration() < first && first <= most,
                 "a back-off needs 0 < first <= most");
}

absl::Duration Backoff::Next(absl::BitGenRef random) {
  const int64_t microseconds = absl::ToInt64Microseconds(limit_);
  limit_ = std::min(limit_ * 2, most_);
  return absl::Microseconds(absl::Uniform<int64_t>(absl::IntervalClosed, random, 0, microseconds));
}

}  // namespace autopxe
