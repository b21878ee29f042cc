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
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait", "--timeout", "1ms"}), kExitRefused);
  EXPECT_THAT(err_,
              AllOf(HasSubstr("revision 17 is accepted"), HasSubstr("\"lab\" serves revision 16")));
}

TEST_F(AutopxectlTest, WaitWithoutAnyAgentSaysSo) {
  EXPECT_EQ(Ctl({"assign", "a", "local", "--wait"}), kExitOk);
  EXPECT_THAT(err_, HasSubstr("no agent is connected"));
}

}  // namespace
}  // namespace autopxe::ctl
