#include "server/store/next_boot_use.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace autopxe::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

NextBootUse UseOf(const char* agent, int64_t host, int64_t token) {
  return {.agent = *AgentId::Parse(agent),
          .host = HostId{host},
          .token = token,
          .time = absl::FromUnixSeconds(1'700'000'000),
          .distro = "local"};
}

std::string AgentsOf(const std::vector<NextBootUse>& uses) {
  std::string agents;
  for (const NextBootUse& use : uses) absl::StrAppend(&agents, use.agent.text(), " ");
  return agents;
}

TEST(NextBootUsesTest, TheSameAgentMayTellAUseAgain) {
  NextBootUses uses;
  EXPECT_THAT(uses.Add(UseOf("lab", 1, 7)), IsEmpty());
  EXPECT_THAT(uses.Add(UseOf("lab", 1, 7)), IsEmpty());
  EXPECT_THAT(uses.After(0), SizeIs(1));
}

TEST(NextBootUsesTest, ASecondAgentsUseIsToldOnceWithAllAgents) {
  NextBootUses uses;
  uses.Add(UseOf("lab", 1, 7));
  EXPECT_EQ(AgentsOf(uses.Add(UseOf("attic", 1, 7))), "lab attic ");
  EXPECT_THAT(uses.Add(UseOf("attic", 1, 7)), IsEmpty());
  EXPECT_THAT(uses.Add(UseOf("lab", 1, 7)), IsEmpty());
  EXPECT_EQ(AgentsOf(uses.Add(UseOf("cellar", 1, 7))), "lab attic cellar ");
}

TEST(NextBootUsesTest, AnotherHostOrAnotherAssignmentIsAnotherUse) {
  NextBootUses uses;
  uses.Add(UseOf("lab", 1, 7));
  EXPECT_THAT(uses.Add(UseOf("attic", 2, 7)), IsEmpty());
  EXPECT_THAT(uses.Add(UseOf("attic", 1, 8)), IsEmpty());
}

TEST(NextBootUsesTest, OfAHostTheNewestAssignmentThatItUsedTwiceIsTold) {
  NextBootUses uses;
  EXPECT_THAT(uses.UsedTwice(HostId{1}), IsEmpty());
  uses.Add(UseOf("lab", 1, 9));
  uses.Add(UseOf("lab", 1, 7));
  uses.Add(UseOf("lab", 2, 8));
  EXPECT_THAT(uses.UsedTwice(HostId{1}), IsEmpty());
  uses.Add(UseOf("attic", 1, 7));
  EXPECT_EQ(AgentsOf(uses.UsedTwice(HostId{1})), "lab attic ");
  EXPECT_THAT(uses.UsedTwice(HostId{2}), IsEmpty());
  uses.Add(UseOf("cellar", 1, 9));
  EXPECT_EQ(AgentsOf(uses.UsedTwice(HostId{1})), "lab cellar ");
}

TEST(NextBootUsesTest, WhatWasKnownIsKnownAfterARestart) {
  NextBootUses before;
  before.Add(UseOf("lab", 1, 7));
  NextBootUses uses(before.After(0));
  EXPECT_EQ(AgentsOf(uses.Add(UseOf("attic", 1, 7))), "lab attic ");
  EXPECT_THAT(uses.After(1), SizeIs(1));
}

TEST(NextBootUsesTest, OnlyTheNewestAreKept) {
  NextBootUses uses;
  for (size_t i = 0; i <= kMaxNextBootUses; ++i) {
    uses.Add(UseOf("lab", static_cast<int64_t>(i) + 1, 7));
  }
  EXPECT_THAT(uses.After(0), SizeIs(kMaxNextBootUses));
  EXPECT_THAT(uses.Add(UseOf("attic", 1, 7)), IsEmpty());
}

}  // namespace
}  // namespace autopxe::server
