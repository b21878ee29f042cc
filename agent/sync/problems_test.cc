#include "agent/sync/problems.h"

#include <string>

#include "common/model/agent_status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ProblemsTest, EachKindHasOneSentenceAndTheGravestIsFirst) {
  Problems problems;
  EXPECT_THAT(problems.Current(), IsEmpty());
  problems.Set(Problems::Kind::kSnapshotNotSaved, "disk full");
  problems.Set(Problems::Kind::kConfigurationRefused, "two hosts share a MAC");
  problems.Set(Problems::Kind::kSnapshotNotSaved, "disk gone");
  EXPECT_THAT(problems.Current(), ElementsAre("two hosts share a MAC", "disk gone"));
  problems.Clear(Problems::Kind::kConfigurationRefused);
  problems.Clear(Problems::Kind::kServerEmpty);
  EXPECT_THAT(problems.Current(), ElementsAre("disk gone"));
}

TEST(ProblemsTest, WhatAServerWouldRefuseIsEscapedOrCut) {
  Problems problems;
  problems.Set(Problems::Kind::kFolderUnreadable, "can't read \"a\nb\x1b[2J\xff\"");
  EXPECT_THAT(problems.Current(), ElementsAre("can't read \"a\\x0ab\\x1b[2J\\xff\""));
  for (const std::string& unit : {std::string("x"), std::string("\xff")}) {
    for (size_t length = 60; length < 400; ++length) {
      std::string text;
      for (size_t i = 0; i < length; ++i) text += unit;
      problems.Set(Problems::Kind::kFolderUnreadable, text);
      EXPECT_LE(problems.Current().front().size(), AgentStatus::kMaxProblemLength);
    }
    EXPECT_THAT(problems.Current().front(), testing::EndsWith("..."));
  }
}

TEST(ProblemsTest, OnlyWhatChangesIsTold) {
  Problems problems;
  int told = 0;
  problems.OnChange([&told] { ++told; });
  problems.Clear(Problems::Kind::kServerEmpty);
  EXPECT_EQ(told, 0);
  problems.Set(Problems::Kind::kServerEmpty, "empty");
  problems.Set(Problems::Kind::kServerEmpty, "empty");
  EXPECT_EQ(told, 1);
  problems.Clear(Problems::Kind::kServerEmpty);
  EXPECT_EQ(told, 2);
  problems.OnChange(nullptr);
  problems.Set(Problems::Kind::kServerEmpty, "empty");
  EXPECT_EQ(told, 2);
}

}  // namespace
}  // namespace autopxe::agent
