#include <string>
#include <vector>

#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(AutopxectlTest, WaitReturnsOnceEveryConnectedAgentServesTheRevision) {
  AddAgent(15, 2);
  AddAgent(16, 1);
  AddAgent(17, 0);
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait"}), kExitOk) << err_;
  EXPECT_THAT(server_.agents, SizeIs(1)) << "asked until the last answer came";
}

TEST_F(AutopxectlTest, WaitGivesUpAndNamesTheAgent) {
  AddAgent(16, 1);
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait", "--timeout", "1ms"}), kExitUnreachable);
  EXPECT_THAT(err_,
              AllOf(HasSubstr("revision 17 is accepted"), HasSubstr("\"lab\" serves revision 16")));
}

TEST_F(AutopxectlTest, ARefusedChangeIsNotWaitedForAndDiffersFromOneThatIsNotServedInTime) {
  AddAgent(16, 1);
  server_.Refuse(1, grpc::Status(grpc::StatusCode::NOT_FOUND, "no such distro"));
  EXPECT_EQ(Ctl({"assign", "a", "x", "--wait", "--timeout", "1ms"}), kExitRefused);
  EXPECT_EQ(Ctl({"unassign", "a", "--wait", "--timeout", "1ms"}), kExitUnreachable);
  EXPECT_EQ(Ctl({"assign", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("exit code is 3"));
}

TEST_F(AutopxectlTest, WaitWithoutAnyAgentSaysSo) {
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait"}), kExitOk);
  EXPECT_THAT(err_, HasSubstr("no agent is connected"));
}

TEST_F(AutopxectlTest, AnAssignmentCanHaveATermAndAChangeCanBeForcedOrTried) {
  const struct {
    std::vector<std::string> args;
    std::string rest;  // Of the request, behind the host.
  } kCases[] = {
      {{"assign", "a", "local", "--next"},
       "distro: \"local\" options { user: \"ada@desk\" } next_boot: true"},
      {{"assign", "a", "local", "--until", "2h"},
       "distro: \"local\" options { user: \"ada@desk\" } duration { seconds: 7200 }"},
      {{"assign", "a", "local", "--until", "2026-12-01T08:00Z"},
       "distro: \"local\" options { user: \"ada@desk\" } until { seconds: 1796112000 }"},
      {{"assign", "a", "local", "--force"},
       "distro: \"local\" options { user: \"ada@desk\" force: true }"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Ctl(c.args), kExitOk) << err_;
    EXPECT_EQ(server_.changes().back(), "AssignHostsRequest hosts: \"a\" " + c.rest);
  }
  EXPECT_EQ(Ctl({"unassign", "a", "--next"}), kExitOk) << err_;
  EXPECT_EQ(server_.changes().back(),
            "UnassignHostsRequest hosts: \"a\" options { user: \"ada@desk\" } "
            "next_boot_only: true");
  AddAgent(15, 2);
  EXPECT_EQ(Ctl({"assign", "a", "local", "--dry-run", "--wait"}), kExitOk) << "nothing to wait for";
  EXPECT_THAT(server_.changes().back(), HasSubstr("validate_only: true"));
  EXPECT_EQ(out_, "nothing would change; revision 17\n");
}

}  // namespace
}  // namespace autopxe::ctl
