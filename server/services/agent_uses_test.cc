// Next-boot assignments that agents report as used.

#include <string>

#include "common/runtime/captured_log.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/agent_service_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AgentUsesTest : public AgentServiceTest {
 protected:
  // A host with a next boot; returns what it would be used up by.
  v1::UsedNextBoot AssignNext() {
    const MacAddress mac = MacAddress::FromNumber(0x525400000001);
    WriteRequest request;
    request.batch.mutations.push_back(
        autopxe::Assign{.host = mac, .distro = Distro::Local(), .term = NextBootOnly()});
    writer_.Apply(std::move(request), MustSucceed);
    const auto host = feed().Current()->FindHost(mac);
    v1::UsedNextBoot used;
    used.set_host_id(static_cast<int64_t>(host->id));
    used.set_token(host->next->token);
    used.mutable_time()->set_seconds(1'700'000'000);
    return used;
  }

  grpc::Status ReportUse(const std::string& agent, const v1::UsedNextBoot& used, int count = 1) {
    grpc::ClientContext context;
    v1::ReportUsedNextBootsRequest request;
    request.set_agent_id(agent);
    for (int i = 0; i < count; ++i) *request.add_used() = used;
    v1::ReportUsedNextBootsResponse response;
    return stub_->ReportUsedNextBoots(&context, request, &response);
  }

  bool HasNext() {
    return feed().Current()->FindHost(MacAddress::FromNumber(0x525400000001))->next.has_value();
  }
};

TEST_F(AgentUsesTest, AUseTakesTheAssignmentAwayInTheAgentsName) {
  const v1::UsedNextBoot used = AssignNext();
  ASSERT_TRUE(ReportUse("lab", used).ok());
  EXPECT_FALSE(HasNext());
  EXPECT_EQ(feed().Current()->revision().user, "agent lab");
  EXPECT_THAT(feed().Current()->revision().origin, HasSubstr("127.0.0.1"));
}

TEST_F(AgentUsesTest, AnAgentThatSendsAUseAgainMakesNoRevisionAndNoNoise) {
  CapturedLog log;
  const v1::UsedNextBoot used = AssignNext();
  ASSERT_TRUE(ReportUse("lab", used).ok());
  const int64_t revision = feed().Current()->revision().id.number;
  ASSERT_TRUE(ReportUse("lab", used).ok());
  EXPECT_EQ(feed().Current()->revision().id.number, revision);
  EXPECT_THAT(log.Text(), Not(HasSubstr("next-boot-used-twice")));
}

TEST_F(AgentUsesTest, AUseAtASecondAgentIsLoggedOnce) {
  CapturedLog log;
  const v1::UsedNextBoot used = AssignNext();
  ASSERT_TRUE(ReportUse("lab", used).ok());
  ASSERT_TRUE(ReportUse("attic", used).ok());
  ASSERT_TRUE(ReportUse("attic", used).ok());
  const std::string text = log.Text();
  EXPECT_THAT(text, HasSubstr("event=next-boot-used-twice host=52:54:00:00:00:01 distro=local "
                              "agents=lab,attic"));
  EXPECT_EQ(text.find("next-boot-used-twice"), text.rfind("next-boot-used-twice"));
}

TEST_F(AgentUsesTest, AnAssignmentThatIsNewerThanTheUseStays) {
  v1::UsedNextBoot used = AssignNext();
  used.set_token(used.token() + 1);
  ASSERT_TRUE(ReportUse("lab", used).ok());
  EXPECT_TRUE(HasNext());
}

TEST_F(AgentUsesTest, WhatIsNoUseIsRefused) {
  const v1::UsedNextBoot used = AssignNext();
  const auto refused = [&](const grpc::Status& status, const char* words) {
    EXPECT_THAT(ToAbslStatus(status),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(words)));
  };
  refused(ReportUse("", used), "agent_id");
  refused(ReportUse("lab", used, 1'001), "1000 at most");
  v1::UsedNextBoot wrong = used;
  wrong.set_host_id(0);
  refused(ReportUse("lab", wrong), "used[0]");
  wrong = used;
  wrong.mutable_time()->set_nanos(-1);
  refused(ReportUse("lab", wrong), "used[0].time");
  EXPECT_TRUE(ReportUse("lab", used, 0).ok());
  EXPECT_TRUE(HasNext());
}

}  // namespace
}  // namespace autopxe::server
