#include "ctl/wait.h"

#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

void AddAgent(v1::ListAgentsResponse& agents, const char* id, bool connected, int64_t applied,
              int64_t lag) {
  v1::Agent* agent = agents.add_agents();
  agent->set_id(id);
  agent->set_connected(connected);
  agent->mutable_status()->mutable_applied()->set_number(applied);
  agent->set_lag(lag);
}

std::string WhoLacks(const v1::ListAgentsResponse& agents, int64_t number) {
  v1::RevisionId revision;
  revision.set_number(number);
  return ctl::WhoLacks(agents, revision);
}

TEST(WaitTest, OnlyConnectedAgentsAreWaitedFor) {
  v1::ListAgentsResponse agents;
  AddAgent(agents, "gone", false, 1, 16);
  EXPECT_EQ(WhoLacks(agents, 17), "");
  AddAgent(agents, "here", true, 17, 0);
  EXPECT_EQ(WhoLacks(agents, 17), "");
  AddAgent(agents, "late", true, 16, 1);
  EXPECT_EQ(WhoLacks(agents, 17), "agent \"late\" serves revision 16");
}

TEST(WaitTest, ALaterRevisionServesAnEarlierOne) {
  v1::ListAgentsResponse agents;
  AddAgent(agents, "a", true, 18, 3);
  EXPECT_EQ(WhoLacks(agents, 17), "");
}

TEST(WaitTest, AHigherNumberOfAnotherServerDoesNotCount) {
  v1::ListAgentsResponse agents;
  AddAgent(agents, "a", true, 50, -1);
  EXPECT_EQ(WhoLacks(agents, 17), "agent \"a\" serves another server's revision 50");
}

}  // namespace
}  // namespace autopxe::ctl
