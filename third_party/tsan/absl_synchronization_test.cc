#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"

// There under tsan alone. No macro of the compiler's says so here: see .bazelrc.
extern "C" __attribute__((weak)) void __tsan_init();

namespace {

using ::absl::Condition;
using ::absl::Mutex;

// Under tsan a case fails by its report. `value` is an int that only what is tested orders.

void OnThreads(int count, const std::function<void()>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body);
  for (std::thread& thread : threads) thread.join();
}

TEST(AbslSynchronizationTest, AMutexOrdersWhatItGuards) {
  Mutex mutex;
  int value = 0;
  OnThreads(4, [&] {
    for (int i = 0; i < 1000; ++i) {
      const absl::MutexLock lock(&mutex);
      ++value;
    }
  });
  EXPECT_EQ(value, 4000);
}

TEST(AbslSynchronizationTest, ATryThatSucceedsOrdersAndOneThatFailsHoldsNothing) {
  Mutex mutex;
  int value = 0;
  mutex.Lock();
  std::thread([&] {
    EXPECT_FALSE(mutex.TryLock());
    EXPECT_FALSE(mutex.ReaderTryLock());
  }).join();
  mutex.Unlock();
  OnThreads(4, [&] {
    for (int done = 0; done < 1000;) {
      if (!mutex.TryLock()) continue;
      ++value;
      ++done;
      mutex.Unlock();
    }
    while (!mutex.ReaderTryLock()) continue;
    EXPECT_GE(value, 1000);
    mutex.ReaderUnlock();
  });
  EXPECT_EQ(value, 4000);
}

TEST(AbslSynchronizationTest, ReadersSeeWhatAWriterWrote) {
  Mutex mutex;
  int value = 0;
  OnThreads(4, [&] {
    for (int i = 0; i < 1000; ++i) {
      {
        const absl::WriterMutexLock lock(&mutex);
        ++value;
      }
      const absl::ReaderMutexLock lock(&mutex);
      EXPECT_GT(value, i);
    }
  });
}

TEST(AbslSynchronizationTest, EveryWaitForAConditionSeesWhatMadeItTrue) {
  const absl::Duration kLong = absl::Hours(1);
  using Step = std::function<void()>;
  // Takes the step under the mutex once the condition is true.
  using Turn = std::function<void(Mutex&, const Condition&, const Step&)>;
  const std::vector<Turn> turns = {
      [](Mutex& mutex, const Condition& mine, const Step& step) {
        const absl::MutexLock lock(&mutex);
        mutex.Await(mine);
        step();
      },
      [&](Mutex& mutex, const Condition& mine, const Step& step) {
        const absl::MutexLock lock(&mutex);
        EXPECT_TRUE(mutex.AwaitWithTimeout(mine, kLong));
        step();
      },
      [&](Mutex& mutex, const Condition& mine, const Step& step) {
        const absl::MutexLock lock(&mutex);
        EXPECT_TRUE(mutex.AwaitWithDeadline(mine, absl::Now() + kLong));
        step();
      },
      [](Mutex& mutex, const Condition& mine, const Step& step) {
        mutex.LockWhen(mine);
        step();
        mutex.Unlock();
      },
      [&](Mutex& mutex, const Condition& mine, const Step& step) {
        EXPECT_TRUE(mutex.LockWhenWithTimeout(mine, kLong));
        step();
        mutex.Unlock();
      },
      [&](Mutex& mutex, const Condition& mine, const Step& step) {
        EXPECT_TRUE(mutex.LockWhenWithDeadline(mine, absl::Now() + kLong));
        step();
        mutex.Unlock();
      },
  };
  for (const Turn& turn : turns) {
    Mutex mutex;
    int value = 0;
    const auto play = [&](int parity) {
      const auto mine = [&value, parity] { return value % 2 == parity; };
      for (int i = 0; i < 100; ++i) turn(mutex, Condition(&mine), [&value] { ++value; });
    };
    std::thread odd(play, 1);
    play(0);
    odd.join();
    EXPECT_EQ(value, 200);
  }
}

TEST(AbslSynchronizationTest, EveryWaitOfAReaderSeesWhatTheWriterWrote) {
  const absl::Duration kLong = absl::Hours(1);
  Mutex mutex;
  int value = 0;
  const auto written = [&value] { return value != 0; };
  const Condition condition(&written);
  std::vector<std::thread> readers;
  readers.emplace_back([&] {
    mutex.ReaderLockWhen(condition);
    EXPECT_EQ(value, 7);
    mutex.ReaderUnlock();
  });
  readers.emplace_back([&] {
    EXPECT_TRUE(mutex.ReaderLockWhenWithTimeout(condition, kLong));
    EXPECT_EQ(value, 7);
    mutex.ReaderUnlock();
  });
  readers.emplace_back([&] {
    EXPECT_TRUE(mutex.ReaderLockWhenWithDeadline(condition, absl::Now() + kLong));
    EXPECT_EQ(value, 7);
    mutex.ReaderUnlock();
  });
  readers.emplace_back([&] {
    const absl::ReaderMutexLock lock(&mutex);
    mutex.Await(condition);
    EXPECT_EQ(value, 7);
  });
  {
    const absl::MutexLock lock(&mutex);
    value = 7;
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(AbslSynchronizationTest, AWaitThatTimesOutHoldsTheMutexAgain) {
  Mutex mutex;
  absl::CondVar changed;
  int value = 0;
  bool never = false;
  OnThreads(4, [&] {
    const Condition condition(&never);
    mutex.Lock();
    EXPECT_FALSE(mutex.AwaitWithTimeout(condition, absl::Microseconds(1)));
    ++value;
    EXPECT_TRUE(changed.WaitWithTimeout(&mutex, absl::Microseconds(1)));
    ++value;
    mutex.Unlock();
    EXPECT_FALSE(mutex.LockWhenWithTimeout(condition, absl::Microseconds(1)));
    ++value;
    mutex.Unlock();
  });
  EXPECT_EQ(value, 12);
}

TEST(AbslSynchronizationTest, EveryWaitForASignalSeesWhatWasSignalled) {
  const absl::Duration kLong = absl::Hours(1);
  Mutex mutex;
  absl::CondVar changed;
  int value = 0;
  int arrived = 0;
  std::vector<std::thread> waiters;
  const auto wait_by = [&](auto wait) {
    waiters.emplace_back([&, wait] {
      const absl::MutexLock lock(&mutex);
      ++arrived;
      while (value == 0) wait();
      EXPECT_EQ(value, 7);
    });
  };
  wait_by([&] { changed.Wait(&mutex); });
  wait_by([&] { changed.WaitWithTimeout(&mutex, kLong); });
  wait_by([&] { changed.WaitWithDeadline(&mutex, absl::Now() + kLong); });
  const auto all = [&] { return arrived == 3; };
  mutex.LockWhen(Condition(&all));
  value = 7;
  mutex.Unlock();
  changed.SignalAll();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(AbslSynchronizationTest, ANotificationOrdersForEveryWayToAskForIt) {
  absl::Notification notified;
  int value = 0;
  std::vector<std::thread> waiters;
  const auto wait_by = [&](auto wait) {
    waiters.emplace_back([&, wait] {
      wait();
      EXPECT_EQ(value, 7);
    });
  };
  wait_by([&] { notified.WaitForNotification(); });
  wait_by([&] { EXPECT_TRUE(notified.WaitForNotificationWithTimeout(absl::Hours(1))); });
  wait_by(
      [&] { EXPECT_TRUE(notified.WaitForNotificationWithDeadline(absl::Now() + absl::Hours(1))); });
  wait_by([&] {
    while (!notified.HasBeenNotified()) continue;
  });
  value = 7;
  notified.Notify();
  for (std::thread& waiter : waiters) waiter.join();
}

TEST(AbslSynchronizationTest, ABlockingCounterOrdersWhatWasDoneBeforeEachStep) {
  int values[4] = {};
  absl::BlockingCounter counter(4);
  std::vector<std::thread> threads;
  for (int& value : values) {
    threads.emplace_back([&] {
      value = 7;
      counter.DecrementCount();
    });
  }
  counter.Wait();
  EXPECT_THAT(values, ::testing::Each(7));
  for (std::thread& thread : threads) thread.join();
}

TEST(AbslSynchronizationTest, ANewMutexInTheMemoryOfAnOldOneIsNew) {
  alignas(Mutex) unsigned char memory[sizeof(Mutex)];
  for (int i = 0; i < 10; ++i) {
    auto* mutex = new (memory) Mutex;
    int value = 0;
    OnThreads(2, [&] {
      const absl::MutexLock lock(mutex);
      ++value;
    });
    EXPECT_EQ(value, 2);
    mutex->~Mutex();
  }
}

class AbslSynchronizationDeathTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (__tsan_init == nullptr) GTEST_SKIP() << "nothing reports races here";
    ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  }
};

TEST_F(AbslSynchronizationDeathTest, WhatNoMutexGuardsIsStillReported) {
  const auto race = [] {
    int value = 0;
    Mutex mutex;
    OnThreads(2, [&] {
      ++value;
      const absl::MutexLock lock(&mutex);
    });
    std::exit(0);
  };
  EXPECT_DEATH(race(), "data race");
}

TEST_F(AbslSynchronizationDeathTest, AReadersLockDoesNotGuardAWrite) {
  const auto race = [] {
    int value = 0;
    Mutex mutex;
    OnThreads(2, [&] {
      const absl::ReaderMutexLock lock(&mutex);
      ++value;
    });
    std::exit(0);
  };
  EXPECT_DEATH(race(), "data race");
}

TEST_F(AbslSynchronizationDeathTest, LocksTakenInBothOrdersAreReported) {
  const auto invert = [] {
    Mutex a;
    Mutex b;
    {
      const absl::MutexLock first(&a);
      const absl::MutexLock second(&b);
    }
    {
      const absl::MutexLock first(&b);
      const absl::MutexLock second(&a);
    }
    std::exit(0);
  };
  EXPECT_DEATH(invert(), "lock-order-inversion");
}

}  // namespace
