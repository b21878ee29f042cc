#pragma once

#include "absl/random/bit_gen_ref.h"
#include "absl/time/time.h"

namespace autopxe {

// How long to wait before the next attempt: exponential with full jitter, so that a thousand agents
// that lost their server together don't come back together. Not safe for concurrent use.
class Backoff {
 public:
  // REQUIRES: 0 < first <= most.
  Backoff(absl::Duration first, absl::Duration most);

  // Anything from 0 up to the limit, which is `first` at the first call, then twice the one before,
  // `most` at the most. Uniform over it as `random` says: seeded in a test, absl::BitGen in a
  // program.
  absl::Duration Next(absl::BitGenRef random);

  // The attempt succeeded: begin again.
  void Reset() { limit_ = first_; }

 private:
  absl::Duration first_;
  absl::Duration most_;
  absl::Duration limit_;
};

}  // namespace autopxe
