#include "common/runtime/wakeup.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "gtest/gtest.h"

namespace autopxe {
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

TEST(WakeupTest, ADescriptorThatCanBeReadEndsTheWaitToo) {
  Wakeup wakeup;
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  EXPECT_FALSE(wakeup.WaitForReadable(ends[0], absl::ZeroDuration()));
  ASSERT_EQ(write(ends[1], "x", 1), 1);
  EXPECT_TRUE(wakeup.WaitForReadable(ends[0], absl::InfiniteDuration()));
  EXPECT_FALSE(wakeup.WaitForReadable(-1, absl::ZeroDuration()));
  close(ends[0]);
  close(ends[1]);
}

TEST(WakeupTest, ADescriptorThatCanBeWrittenEndsTheWaitToo) {
  Wakeup wakeup;
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  EXPECT_TRUE(wakeup.WaitForWritable(ends[1], absl::InfiniteDuration()));
  const std::string much(1 << 20, 'x');
  ASSERT_GT(write(ends[1], much.data(), much.size()), 0);
  EXPECT_FALSE(wakeup.WaitForWritable(ends[1], absl::ZeroDuration()));
  close(ends[0]);
  EXPECT_TRUE(wakeup.WaitForWritable(ends[1], absl::InfiniteDuration()));
  close(ends[1]);
}

TEST(WakeupTest, ANotificationEndsAWaitForADescriptorAndIsTaken) {
  Wakeup wakeup;
  wakeup.Notify();
  EXPECT_FALSE(wakeup.WaitForReadable(-1, absl::InfiniteDuration()));
  EXPECT_FALSE(wakeup.WaitFor(absl::ZeroDuration()));
}

}  // namespace
}  // namespace autopxe
