#include "common/runtime/reload.h"

#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "common/runtime/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<OptionValue> Values(const std::string& level, const std::string& listen) {
  return {{"log-level", level, TakesEffect::kOnReload}, {"listen", listen, TakesEffect::kAtStart}};
}

// What is logged when `wanted` is read.
std::vector<std::string> Reload(OptionsInForce& options, const std::vector<OptionValue>& wanted) {
  testing::internal::CaptureStderr();
  OpenLog(LogLevel::kInfo);
  options.Reload(wanted);
  std::vector<std::string> lines;
  for (const auto& line :
       absl::StrSplit(testing::internal::GetCapturedStderr(), '\n', absl::SkipEmpty())) {
    lines.emplace_back(line.substr(line.find(' ') + 1));
  }
  return lines;
}

TEST(ReloadTest, EachChangeIsNamedWithItsOldAndItsNewValue) {
  OptionsInForce options(Values("info", "127.0.0.1:1"));
  EXPECT_THAT(Reload(options, Values("info", "127.0.0.1:1")),
              ElementsAre("info event=reload result=ok changed=0 need_restart=0"));
  EXPECT_THAT(Reload(options, Values("debug", "127.0.0.1:2")),
              ElementsAre("info event=option-changed option=log-level old=info new=debug "
                          "effect=now",
                          "warning event=option-changed option=listen old=127.0.0.1:1 "
                          "new=127.0.0.1:2 effect=at-restart",
                          "info event=reload result=ok changed=1 need_restart=1"));
}

TEST(ReloadTest, WhatTakesARestartIsNamedUntilThere) {
  OptionsInForce options(Values("info", "127.0.0.1:1"));
  Reload(options, Values("debug", "127.0.0.1:2"));
  EXPECT_THAT(Reload(options, Values("debug", "127.0.0.1:2")),
              ElementsAre(HasSubstr("option=listen old=127.0.0.1:1 new=127.0.0.1:2"),
                          HasSubstr("changed=0 need_restart=1")));
  EXPECT_THAT(Reload(options, Values("debug", "127.0.0.1:1")),
              ElementsAre(HasSubstr("changed=0 need_restart=0")));
}

TEST(ReloadTest, NoValueReachesTheLogAsItIs) {
  OptionsInForce options(Values("info", "a"));
  EXPECT_THAT(Reload(options, Values("info", "\033[31m\nevent=forged"))[0],
              HasSubstr("new=\"\\x1b[31m\\x0aevent=forged\""));
}

TEST(ReloadTest, ARefusedConfigurationIsOneLine) {
  testing::internal::CaptureStderr();
  OpenLog(LogLevel::kInfo);
  LogRefusedReload(absl::InvalidArgumentError("agent.yaml:3: no\nsuch \x07 key"));
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              testing::MatchesRegex("[^ ]+ warning event=reload result=refused "
                                    "error=\"agent.yaml:3: no.x0asuch .x07 key\"\n"));
}

}  // namespace
}  // namespace autopxe
