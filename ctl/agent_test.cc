#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST_F(AutopxectlTest, WhatIsSetForAnAgentIsATableOfItsKeys) {
  (*server_.agent_settings.mutable_variables())["nfs-server"] = "10.77.1.1";
  EXPECT_EQ(Ctl({"agent", "show", "rack1"}), kExitOk);
  EXPECT_EQ(out_,
            "KEY                   VALUE\n"
            "default-distro        -\n"
            "rootfs-path-prefix    -\n"
            "variables.nfs-server  10.77.1.1\n");
  EXPECT_EQ(Ctl({"agent", "show", "rack1", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("\"agent_id\": \"rack1\""), HasSubstr("10.77.1.1")));
}

TEST_F(AutopxectlTest, AnAgentIsDeletedOrTheServerSaysWhyNot) {
  EXPECT_EQ(Ctl({"agent", "delete", "lab"}), kExitOk);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(server_.changes(), ElementsAre("DeleteAgentRequest agent_id: \"lab\""));
  server_.Refuse(
      1, {grpc::StatusCode::FAILED_PRECONDITION, "agent \"lab\": it is connected; stop it first"});
  EXPECT_EQ(Ctl({"agent", "delete", "lab"}), kExitRefused);
  EXPECT_EQ(err_, "autopxectl: agent \"lab\": it is connected; stop it first\n");
}

}  // namespace
}  // namespace autopxe::ctl
