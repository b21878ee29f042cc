#include "common/runtime/clock.h"

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(FakeClockTest, MovesOnlyWhenItIsMoved) {
  FakeClock clock;
  const absl::Time now = clock.Now();
  const absl::Duration monotonic = clock.Monotonic();
  EXPECT_EQ(clock.Now(), now);
  clock.Advance(absl::Seconds(3));
  EXPECT_EQ(clock.Now(), now + absl::Seconds(3));
  EXPECT_EQ(clock.Monotonic(), monotonic + absl::Seconds(3));
}

TEST(FakeClockTest, SettingTheWallClockLetsNoTimePass) {
  FakeClock clock;
  const absl::Duration monotonic = clock.Monotonic();
  clock.Step(absl::FromUnixSeconds(1));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(1));
  EXPECT_EQ(clock.Monotonic(), monotonic);
}

TEST(SystemClockTest, MonotonicTimeNeverGoesBack) {
  SystemClock clock;
  absl::Duration before = clock.Monotonic();
  for (int i = 0; i < 1000; ++i) {
    const absl::Duration now = clock.Monotonic();
    ASSERT_GE(now, before);
    before = now;
  }
  EXPECT_GT(clock.Now(), absl::UnixEpoch());
}

}  // namespace
}  // namespace autopxe
