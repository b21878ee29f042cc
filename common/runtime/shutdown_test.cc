#include "common/runtime/shutdown.h"

#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// Each runs in a process of its own: signals belong to the whole process.
class ShutdownTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Reloads on the signals that are pending, then says how many there were and what ended it.
[[noreturn]] void RunAndExit(int number) {
  ShutdownSignals signals;
  kill(getpid(), SIGHUP);
  kill(getpid(), number);
  int reloads = 0;
  const int ended_by = signals.Run([&] { ++reloads; });
  std::exit(ended_by == number && reloads == 1 ? 42 : 1);
}

TEST_F(ShutdownTest, ReloadsOnHangUpAndEndsOnTerminate) {
  EXPECT_EXIT(RunAndExit(SIGTERM), testing::ExitedWithCode(42), "");
}

TEST_F(ShutdownTest, EndsOnInterruptEvenWhenAShellHasItIgnored) {
  EXPECT_EXIT(
      {
        signal(SIGINT, SIG_IGN);
        RunAndExit(SIGINT);
      },
      testing::ExitedWithCode(42), "");
}

TEST_F(ShutdownTest, EachHangUpReloadsAgain) {
  EXPECT_EXIT(
      {
        ShutdownSignals signals;
        kill(getpid(), SIGHUP);
        int reloads = 0;
        signals.Run([&] { kill(getpid(), ++reloads < 3 ? SIGHUP : SIGTERM); });
        std::exit(reloads == 3 ? 42 : 1);
      },
      testing::ExitedWithCode(42), "");
}

TEST_F(ShutdownTest, ASecondTerminateEndsTheProcessAtOnce) {
  EXPECT_EXIT(
      {
        ShutdownSignals signals;
        kill(getpid(), SIGTERM);
        signals.Run([] {});
        kill(getpid(), SIGTERM);
        std::exit(1);
      },
      testing::KilledBySignal(SIGTERM), "");
}

TEST_F(ShutdownTest, APeerThatWentAwayDoesNotEndTheProcess) {
  EXPECT_EXIT(
      {
        ShutdownSignals signals;
        int ends[2];
        if (pipe(ends) != 0) std::exit(1);
        close(ends[0]);
        std::exit(write(ends[1], "x", 1) == -1 ? 42 : 1);
      },
      testing::ExitedWithCode(42), "");
}

}  // namespace
}  // namespace autopxe
