#include "agent/net/event_loop.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "agent/net/unique_fd.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;

std::unique_ptr<EventLoop> OpenLoop() {
  auto loop = EventLoop::Open();
  EXPECT_THAT(loop, IsOk());
  return std::move(*loop);
}

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    reader.Reset(ends[0]);
    writer.Reset(ends[1]);
  }
  void Write() { EXPECT_EQ(write(writer.get(), "x", 1), 1); }
  void Read() {
    char byte;
    EXPECT_EQ(read(reader.get(), &byte, 1), 1);
  }
  UniqueFd reader, writer;
};

TEST(EventLoopTest, TasksOfOtherThreadsRunInTheirOrderOnTheLoopsThread) {
  const auto loop = OpenLoop();
  std::vector<int> order;
  std::thread::id ran_on;
  std::thread thread([&] { loop->Run(); });
  const std::thread::id loop_thread = thread.get_id();
  for (int i = 0; i < 100; ++i) {
    loop->Post([&, i] {
      order.push_back(i);
      ran_on = std::this_thread::get_id();
    });
  }
  loop->Stop();
  thread.join();
  ASSERT_EQ(order.size(), 100u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(ran_on, loop_thread);
}

TEST(EventLoopTest, AStopBeforeTheRunIsNotLost) {
  const auto loop = OpenLoop();
  bool ran = false;
  loop->Post([&] { ran = true; });
  loop->Stop();
  loop->Run();
  EXPECT_TRUE(ran);
}

TEST(EventLoopTest, TimersRunInTheOrderOfTheirTimeAndNeverEarly) {
  const auto loop = OpenLoop();
  std::vector<std::string> order;
  const auto begin = EventLoop::Now();
  const auto due = begin + milliseconds(5);
  loop->StartTimer(due, [&] {
    EXPECT_GE(EventLoop::Now(), due);
    order.push_back("second");
  });
  loop->StartTimer(due, [&] {
    order.push_back("third, of the same instant");
    loop->Stop();
  });
  loop->StartTimer(begin, [&] { order.push_back("first"); });
  loop->StartTimer(begin + hours(1), [&] { order.push_back("never"); });
  loop->Run();
  EXPECT_THAT(order, ElementsAre("first", "second", "third, of the same instant"));
}

TEST(EventLoopTest, ACancelledTimerDoesNotRunEvenIfItWasDue) {
  const auto loop = OpenLoop();
  const auto now = EventLoop::Now();
  EventLoop::TimerId second;
  bool second_ran = false;
  loop->StartTimer(now, [&] {
    loop->CancelTimer(second);
    loop->CancelTimer(second);  // Once more does nothing.
  });
  second = loop->StartTimer(now, [&] { second_ran = true; });
  loop->StartTimer(now, [&] { loop->Stop(); });
  loop->Run();
  EXPECT_FALSE(second_ran);
}

TEST(EventLoopTest, ATimerThatStartsItselfAgainDoesNotStarveTheSockets) {
  const auto loop = OpenLoop();
  Pipe pipe;
  pipe.Write();
  std::function<void()> again = [&] { loop->StartTimer(EventLoop::Now(), again); };
  again();
  ASSERT_THAT(loop->Watch(pipe.reader.get(), [&] { loop->Stop(); }), IsOk());
  loop->Run();
}

TEST(EventLoopTest, AReadableDescriptorRunsItsTaskUntilItIsUnwatched) {
  const auto loop = OpenLoop();
  Pipe pipe;
  int runs = 0;
  EventLoop::WatchId id = 0;
  auto watched = loop->Watch(pipe.reader.get(), [&] {
    pipe.Read();
    if (++runs == 2) {
      loop->Unwatch(id);
      pipe.Write();  // Nobody looks any more.
      loop->StartTimer(EventLoop::Now(), [&] { loop->Stop(); });
    }
  });
  ASSERT_THAT(watched, IsOk());
  id = *watched;
  pipe.Write();
  pipe.Write();
  loop->Run();
  EXPECT_EQ(runs, 2);
}

TEST(EventLoopTest, WhatIsUnwatchedInARoundDoesNotRunInIt) {
  const auto loop = OpenLoop();
  Pipe pipes[2];
  std::array<EventLoop::WatchId, 2> ids;
  int runs = 0;
  for (int i = 0; i < 2; ++i) {
    pipes[i].Write();
    auto watched = loop->Watch(pipes[i].reader.get(), [&, i] {
      ++runs;
      loop->Unwatch(ids[0]);
      loop->Unwatch(ids[1]);
      pipes[1 - i].reader.Reset();  // As its owner would.
      loop->Stop();
    });
    ASSERT_THAT(watched, IsOk());
    ids[i] = *watched;
  }
  loop->Run();
  EXPECT_EQ(runs, 1);
}

TEST(EventLoopTest, ATaskMayUnwatchItselfAndStillUseWhatItHolds) {
  const auto loop = OpenLoop();
  Pipe pipe;
  pipe.Write();
  auto id = std::make_shared<EventLoop::WatchId>(0);
  const auto text = std::make_shared<std::string>("still here");
  std::string seen;
  auto watched = loop->Watch(pipe.reader.get(), [&, id, text] {
    loop->Unwatch(*id);
    seen = *text;
    loop->Stop();
  });
  ASSERT_THAT(watched, IsOk());
  *id = *watched;
  loop->Run();
  EXPECT_EQ(seen, "still here");
  EXPECT_EQ(text.use_count(), 1) << "the task was released";
}

TEST(EventLoopTest, WhatCantBeWatchedIsAnErrorThatNamesIt) {
  EXPECT_FALSE(OpenLoop()->Watch(-1, [] {}).ok());
}

TEST(EventLoopDeathTest, AnotherThreadMayNotTouchTheTimers) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        const auto loop = OpenLoop();
        loop->Post([&] {
          std::thread other([&] { loop->StartTimer(EventLoop::Now(), [] {}); });
          other.join();
        });
        loop->Run();
      },
      "not its own");
}

}  // namespace
}  // namespace autopxe::agent
