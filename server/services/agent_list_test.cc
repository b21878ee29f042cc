#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/agent_service_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;

TEST_F(AgentServiceTest, LagTellsHowFarAnAgentIsBehind) {
  Revise(5);
  ASSERT_TRUE(Report("behind", 3, 0x1003).ok());
  ASSERT_TRUE(Report("current", 5, 0x1005).ok());
  ASSERT_TRUE(Report("empty", 0, 0).ok());
  ASSERT_TRUE(Report("stranger", 4, 0xbad).ok());
  ASSERT_TRUE(Report("ahead", 9, 0x1009).ok());
  std::map<std::string, int64_t> lag;
  const auto response = List();
  for (const v1::Agent& agent : response.agents()) lag[agent.id()] = agent.lag();
  EXPECT_EQ(lag,
            (std::map<std::string, int64_t>{
                {"ahead", -1}, {"behind", 2}, {"current", 0}, {"empty", 5}, {"stranger", -1}}));
  EXPECT_EQ(response.revision().number(), 5);
}

TEST_F(AgentServiceTest, TheListTellsHowEachAgentStandsAndWhy) {
  Revise(3);
  v1::ReportStatusRequest request;
  request.set_agent_id("east");
  *request.mutable_status() = FromText(
      "instance: 'one' applied { number: 3 tag: 0x1003 } view_age { seconds: 4 } "
      "problems: 'disk full'");
  grpc::ClientContext context;
  v1::ReportStatusResponse reported;
  ASSERT_TRUE(stub_->ReportStatus(&context, request, &reported).ok());
  Watcher watcher(server_.Connect(), "east", RevisionId{3, 0x1003}, "one");
  EXPECT_EQ(watcher.Next(), "heartbeat 3");
  clock_.Advance(absl::Seconds(20));
  auto listed = List();
  EXPECT_EQ(listed.agents(0).state(), v1::AGENT_STATE_CURRENT);
  EXPECT_THAT(listed.agents(0).reasons(), ElementsAre("disk full"));
  EXPECT_EQ(listed.time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  EXPECT_EQ(listed.agents(0).view_time().seconds(), listed.time().seconds());
  Revise(1);
  listed = List();
  EXPECT_EQ(listed.agents(0).state(), v1::AGENT_STATE_BEHIND);
  EXPECT_THAT(listed.agents(0).reasons(), ElementsAre("1 revision behind", "disk full"));
  EXPECT_EQ(listed.agents(0).view_time().seconds(), listed.time().seconds() - 24);
}

TEST_F(AgentServiceTest, PagesOfAgentsPutTogetherAreAllOfThemById) {
  for (const char* id : {"d", "b", "e", "a", "c"}) ASSERT_TRUE(Report(id, 0, 0).ok());
  std::vector<std::string> ids;
  std::string token;
  do {
    const auto page = List(2, token);
    for (const v1::Agent& agent : page.agents()) ids.push_back(agent.id());
    token = page.next_page_token();
  } while (!token.empty());
  EXPECT_THAT(ids, ElementsAre("a", "b", "c", "d", "e"));
}

}  // namespace
}  // namespace autopxe::server
