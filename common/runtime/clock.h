#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace autopxe {

// What time it is. Safe to use from any thread.
class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time: what people and records call now. May step by years in either direction.
  virtual absl::Time Now() const = 0;

  // Time since some moment before the program started. Never goes back and never steps: what
  // time-outs and ages are measured by.
  virtual absl::Duration Monotonic() const = 0;
};

// CLOCK_REALTIME and CLOCK_MONOTONIC.
class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
  absl::Duration Monotonic() const override;
};

// Stands still until it is moved.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time now = absl::FromUnixSeconds(1'700'000'000)) : now_(now) {}

  absl::Time Now() const override;
  absl::Duration Monotonic() const override;

  // Time passes: both move.
  void Advance(absl::Duration duration);

  // The wall clock is set; no time passes.
  void Step(absl::Time now);

 private:
  mutable absl::Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
  absl::Duration monotonic_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(1);
};

}  // namespace autopxe
