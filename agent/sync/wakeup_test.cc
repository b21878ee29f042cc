#include "agent/sync/wakeup.h"

#include <thread>

#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

TEST(WakeupTest, ANotificationBeforeTheWaitIsNotLost) {
  Wakeup wakeup;
  wakeup.Notify();
  EXPECT_TRUE(wakeup.WaitFor(absl::InfiniteDuration()));
}

TEST(WakeupTest, ManyNotificationsAreOne) {
  Wakeup wakeup;
  for (int i = 0; i < 1000; ++i) wakeup.Notify();
  EXPECT_TRUE(wakeup.WaitFor(absl::InfiniteDuration()));
  EXPECT_FALSE(wakeup.WaitFor(absl::ZeroDuration()));
}

TEST(WakeupTest, TheWaitEndsWhenItsTimeIsOver) {
  Wakeup wakeup;
  EXPECT_FALSE(wakeup.WaitFor(absl::Milliseconds(1)));
  EXPECT_FALSE(wakeup.WaitFor(-absl::InfiniteDuration()));
}

TEST(WakeupTest, AnotherThreadEndsTheWait) {
  Wakeup wakeup;
  std::thread other([&] { wakeup.Notify(); });
  EXPECT_TRUE(wakeup.WaitFor(absl::InfiniteDuration()));
  other.join();
}

}  // namespace
}  // namespace autopxe::agent
