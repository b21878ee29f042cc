#include "server/services/agent_condition.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// Reported 10 s ago that its view was confirmed 5 s before; last seen 3 s ago.
AgentRegistry::Entry Agent(int watches) {
  AgentStatus status{.instance = *AgentInstance::Parse("i1")};
  status.applied = {.number = 7, .tag = 0xabc};
  status.view_age = absl::Seconds(5);
  return {.id = *AgentId::Parse("lab"),
          .status = status,
          .reported_at = kNow - absl::Seconds(10),
          .last_seen = kNow - absl::Seconds(3),
          .watches = watches};
}

const char kAway[] = "not connected, last heard of 3s ago; hosts boot what it knew then";

TEST(AgentConditionTest, ConnectedAndWithoutLagItIsCurrentNow) {
  const AgentCondition condition = BuildAgentCondition(Agent(1), 0, 7, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_CURRENT);
  EXPECT_THAT(condition.reasons, IsEmpty());
  EXPECT_EQ(condition.view_time, kNow);
}

TEST(AgentConditionTest, ConnectedWithALagItIsBehindAndItsViewIsAsOldAsItSays) {
  const AgentCondition condition = BuildAgentCondition(Agent(1), 2, 9, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_BEHIND);
  EXPECT_THAT(condition.reasons, ElementsAre("2 revisions behind"));
  EXPECT_EQ(condition.view_time, kNow - absl::Seconds(15));
}

TEST(AgentConditionTest, NotConnectedItIsAwayBeWhatItServesCurrentOrNot) {
  AgentCondition condition = BuildAgentCondition(Agent(0), 0, 7, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_AWAY);
  EXPECT_THAT(condition.reasons, ElementsAre(kAway));
  EXPECT_EQ(condition.view_time, kNow - absl::Seconds(15));
  condition = BuildAgentCondition(Agent(0), 1, 8, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_AWAY);
  EXPECT_THAT(condition.reasons, ElementsAre(kAway, "1 revision behind"));
}

TEST(AgentConditionTest, WhatIsOfAnotherDatabaseIsForeignWhetherConnectedOrNot) {
  const char kForeign[] =
      "it serves revision 7-0000000000000abc, which is not of this server's database: that was "
      "restored from a backup or begun anew";
  AgentCondition condition = BuildAgentCondition(Agent(1), -1, 3, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_FOREIGN);
  EXPECT_THAT(condition.reasons, ElementsAre(kForeign));
  EXPECT_EQ(condition.view_time, absl::nullopt) << "it never served this one";
  condition = BuildAgentCondition(Agent(0), -1, 3, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_FOREIGN);
  EXPECT_THAT(condition.reasons, ElementsAre(kForeign, kAway));
}

TEST(AgentConditionTest, OnAnEmptyDatabaseItIsSaidWhatToDo) {
  const AgentCondition condition = BuildAgentCondition(Agent(1), -1, 0, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_FOREIGN);
  EXPECT_THAT(condition.reasons,
              ElementsAre("it keeps revision 7-0000000000000abc, since this server's database is "
                          "empty: restore a backup, or configure the server anew and it follows"));
}

TEST(AgentConditionTest, AnAgentThatServesNothingIsEmpty) {
  AgentRegistry::Entry agent = Agent(1);
  agent.status->applied = RevisionId();
  EXPECT_EQ(BuildAgentCondition(agent, 0, 0, kNow).state, v1::AGENT_STATE_CURRENT)
      << "revision 0 is a configuration like any other";
  agent.status->view_age = absl::nullopt;
  AgentCondition condition = BuildAgentCondition(agent, 7, 7, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_EMPTY);
  EXPECT_THAT(condition.reasons, ElementsAre("it has no configuration yet"));
  EXPECT_EQ(condition.view_time, absl::nullopt);
  agent.status = absl::nullopt;
  agent.watches = 0;
  condition = BuildAgentCondition(agent, 7, 7, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_EMPTY);
  EXPECT_THAT(condition.reasons,
              ElementsAre("it has no configuration yet", "not connected, last heard of 3s ago"));
}

// faults.md 44.
TEST(AgentConditionTest, AnIdThatIsSharedAndItsOwnProblemsAreReasonsEvenIfItIsCurrent) {
  AgentRegistry::Entry agent = Agent(2);
  agent.status->problems = {"disk full", "no loaders"};
  const AgentCondition condition = BuildAgentCondition(agent, 0, 7, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_CURRENT);
  EXPECT_THAT(condition.reasons,
              ElementsAre("2 agents run under this id, and what is shown is of whichever reported "
                          "last: give each an id of its own",
                          "disk full", "no loaders"));
}

TEST(AgentConditionTest, AClockThatWentBackGivesNoViewOfTheFuture) {
  AgentRegistry::Entry agent = Agent(0);
  agent.reported_at = kNow + absl::Hours(24 * 365);
  agent.last_seen = agent.reported_at;
  const AgentCondition condition = BuildAgentCondition(agent, 0, 7, kNow);
  EXPECT_EQ(condition.view_time, kNow);
  EXPECT_THAT(condition.reasons,
              ElementsAre("not connected, last heard of 0s ago; hosts boot what it knew then"));
}

TEST(AgentConditionTest, AnAgentOfAnOlderVersionDoesNotSayHowOldItsViewIs) {
  AgentRegistry::Entry agent = Agent(0);
  agent.status->view_age = absl::nullopt;
  const AgentCondition condition = BuildAgentCondition(agent, 0, 7, kNow);
  EXPECT_EQ(condition.state, v1::AGENT_STATE_AWAY);
  EXPECT_EQ(condition.view_time, absl::nullopt);
}

}  // namespace
}  // namespace autopxe::server
