#include "common/runtime/logging.h"

#include <cstdio>
#include <string>

#include "absl/status/status.h"
#include "common/runtime/log_line.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

TEST(LoggingTest, EveryLevelsNameParsesToIt) {
  for (LogLevel level : {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    EXPECT_THAT(ParseLogLevel(FormatLogLevel(level)), IsOkAndHolds(level));
  }
  for (const char* text : {"", "INFO", "warning", "info\n"}) {
    EXPECT_THAT(ParseLogLevel(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected debug, info")));
  }
}

TEST(LoggingTest, ALineGoesToStderrWithItsTimeInUtcAndItsLevel) {
  testing::internal::CaptureStderr();
  OpenLog(LogLevel::kInfo);
  LogLine("started").Add("pid", 7).Info();
  LogLine("lost").Warn();
  EXPECT_THAT(
      testing::internal::GetCapturedStderr(),
      MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\.[0-9]{3}Z info event=started pid=7\n"
                   "[^ ]+Z warning event=lost\n"));
}

TEST(LoggingTest, WhatIsWrittenToStderrAfterAFlushComesAfterAllLines) {
  testing::internal::CaptureStderr();
  OpenLog(LogLevel::kInfo);
  // More than go out at once.
  for (int i = 0; i < 100; ++i) LogLine("looked").Add("at", i).Info();
  FlushLog();
  std::fputs("failed\n", stderr);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), EndsWith(" event=looked at=99\nfailed\n"));
}

TEST(LoggingTest, TheLevelCanBeChangedWhileItRuns) {
  testing::internal::CaptureStderr();
  OpenLog(LogLevel::kWarn);
  LogLine("dropped").Info();
  SetLogLevel(LogLevel::kDebug);
  LogLine("kept").Debug();
  SetLogLevel(LogLevel::kError);
  LogLine("dropped").Warn();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("event=kept"));
  EXPECT_THAT(log, Not(HasSubstr("dropped")));
}

}  // namespace
}  // namespace autopxe
