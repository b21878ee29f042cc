#include "server/services/call_thread.h"

#include <memory>
#include <string>
#include <thread>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

TEST(CallThreadTest, WorkIsDoneInItsOrderByOneOtherThread) {
  std::string done;
  std::thread::id first, second;
  absl::Notification last;
  CallThread thread;
  thread.Queue([&] { done += "a", first = std::this_thread::get_id(); });
  thread.Queue([&] { done += "b", second = std::this_thread::get_id(); });
  thread.Queue([&] { last.Notify(); });
  last.WaitForNotification();
  EXPECT_EQ(done, "ab");
  EXPECT_EQ(first, second);
  EXPECT_NE(first, std::this_thread::get_id());
}

TEST(CallThreadTest, WhatIsQueuedIsDoneBeforeItEnds) {
  int done = 0;
  absl::Notification gate;
  auto thread = std::make_unique<CallThread>();
  thread->Queue([&] { gate.WaitForNotification(); });
  for (int i = 0; i < 3; ++i) thread->Queue([&] { ++done; });
  gate.Notify();
  thread = nullptr;
  EXPECT_EQ(done, 3);
}

}  // namespace
}  // namespace autopxe::server
