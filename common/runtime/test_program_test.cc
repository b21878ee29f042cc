#include "common/runtime/test_program.h"

#include <signal.h>
#include <sys/wait.h>

#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

constexpr char kProgram[] = "common/runtime/testdata/failing_program.sh";

TEST(TestProgramTest, WhatNoLineWasWaitedForIsToldAtTheEnd) {
  TestProgram program(kProgram, {});
  EXPECT_EQ(program.WaitForLine("first"), "event=first");
  const TestProgram::End end = program.Wait();
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.signal, 0);
  EXPECT_EQ(end.err, "event=last\n");
}

TEST(TestProgramTest, OneThatEndsBeforeALineFailsTheTestWithItsEndAndItsLog) {
  TestProgram program(kProgram, {});
  for (const char* part :
       {"no line with \"event=never\"", "ended with exit code 3", "event=first\nevent=last\n"}) {
    EXPECT_NONFATAL_FAILURE(EXPECT_EQ(program.WaitForLine("event=never"), ""), part);
  }
  program.Signal(SIGTERM);  // To nobody.
  EXPECT_EQ(program.Wait().exit_code, 3);
}

TEST(TestProgramTest, OneWhoseEndNobodyHasWaitedForFailsTheTest) {
  auto program = std::make_unique<TestProgram>(kProgram, std::vector<std::string>());
  siginfo_t ended;
  ASSERT_EQ(waitid(P_PID, static_cast<id_t>(program->pid()), &ended, WEXITED | WNOWAIT), 0);
  EXPECT_NONFATAL_FAILURE(program = nullptr, "ended with exit code 3");
}

}  // namespace
}  // namespace autopxe
