#include "server/services/agent_choice.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;

AgentDecision At(const char* id, bool connected, v1::Outcome outcome,
                 const char* distro = "debian/bookworm/latest/nfs") {
  AgentDecision agent{.connected = connected, .decision = {}};
  agent.decision.set_agent_id(id);
  agent.decision.set_outcome(outcome);
  agent.decision.set_distro(distro);
  return agent;
}

constexpr v1::Outcome kBoot = v1::OUTCOME_BOOT;
constexpr v1::Outcome kMissing = v1::OUTCOME_MISSING;

TEST(AgentChoiceTest, WhoIsConnectedAndHasItIsChosenAndTheReasonIsSaid) {
  const struct {
    std::vector<AgentDecision> agents;
    size_t chosen;
    const char* reason;
  } cases[] = {
      {{At("a", false, kBoot), At("b", true, kMissing), At("c", true, kBoot), At("d", true, kBoot)},
       2,
       "agent \"c\" is the first of 4 that is connected and has what the host is to boot. Name "
       "another with --agent"},
      {{At("a", false, kBoot), At("b", true, v1::OUTCOME_UNSPECIFIED)},
       1,
       "agent \"b\" is the first of 2 that is connected; none of those has"},
      {{At("a", false, kMissing), At("b", false, kBoot)},
       1,
       "agent \"b\" is the first of 2 that has what the host is to boot; none is connected"},
      {{At("a", false, kMissing), At("b", false, kMissing)},
       0,
       "agent \"a\" is the first of 2; none is connected, and none has"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(ChooseAgent(c.agents), c.chosen);
    v1::ExplainResponse response;
    AddChoice(c.agents, c.chosen, response);
    EXPECT_THAT(response.agent_choice(), HasSubstr(c.reason));
  }
}

TEST(AgentChoiceTest, TheOnlyOneNeedsNoReason) {
  v1::ExplainResponse response;
  AddChoice({At("a", false, kMissing)}, 0, response);
  EXPECT_EQ(response.ByteSizeLong(), 0u);
}

TEST(AgentChoiceTest, WhatDiffersElsewhereIsToldAndMakesItDoubtful) {
  std::vector<AgentDecision> agents = {At("a", true, kBoot), At("b", true, kBoot),
                                       At("c", true, kBoot)};
  v1::ExplainResponse alike;
  alike.set_verdict(v1::VERDICT_GOOD);
  AddChoice(agents, 0, alike);
  EXPECT_EQ(alike.verdict(), v1::VERDICT_GOOD);
  EXPECT_EQ(alike.agents_alike(), 2);
  EXPECT_EQ(alike.elsewhere_size(), 0);
  EXPECT_THAT(alike.agent_choice(), HasSubstr("At the others it would boot the same"));

  agents[1].decision.set_command_line("nfsroot=10.77.2.1:/x");
  v1::ExplainResponse by_another_server;
  by_another_server.set_verdict(v1::VERDICT_GOOD);
  AddChoice(agents, 0, by_another_server);
  EXPECT_EQ(by_another_server.verdict(), v1::VERDICT_GOOD);
  EXPECT_EQ(by_another_server.agents_alike(), 1);
  ASSERT_EQ(by_another_server.elsewhere_size(), 1);
  EXPECT_EQ(by_another_server.elsewhere(0).agent_id(), "b");

  agents[1] = At("b", false, kBoot, "local");
  v1::ExplainResponse of_one_away;
  of_one_away.set_verdict(v1::VERDICT_GOOD);
  AddChoice(agents, 0, of_one_away);
  EXPECT_EQ(of_one_away.verdict(), v1::VERDICT_GOOD);
  EXPECT_EQ(of_one_away.agents_different(), 1);

  agents[1].connected = true;
  v1::ExplainResponse depends;
  depends.set_verdict(v1::VERDICT_GOOD);
  AddChoice(agents, 0, depends);
  EXPECT_EQ(depends.verdict(), v1::VERDICT_DOUBTFUL);
  EXPECT_THAT(depends.advice(), HasSubstr("depends on the agent"));
}

TEST(AgentChoiceTest, OfVeryManyAHundredAreShownAndAllAreCounted) {
  std::vector<AgentDecision> agents;
  for (int i = 100; i < 300; ++i) {
    agents.push_back(At(absl::StrCat("a", i).c_str(), true, i == 100 ? kBoot : kMissing));
  }
  v1::ExplainResponse response;
  AddChoice(agents, 0, response);
  EXPECT_EQ(response.elsewhere_size(), 100);
  EXPECT_EQ(response.agents_different(), 199);
}

}  // namespace
}  // namespace autopxe::server
