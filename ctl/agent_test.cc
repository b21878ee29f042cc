#include <string>
#include <vector>

#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(AutopxectlTest, WhatIsSetForAnAgentIsATableOfItsKeys) {
  (*server_.agent_settings.mutable_variables())["nfs-server"] = "10.77.1.1";
  server_.agent_settings.set_etag(5);
  EXPECT_EQ(Ctl({"agent", "show", "rack1"}), kExitOk);
  EXPECT_EQ(out_,
            "KEY                   VALUE\n"
            "default-distro        -\n"
            "rootfs-path-prefix    -\n"
            "variables.nfs-server  10.77.1.1\n");
  EXPECT_EQ(Ctl({"agent", "show", "rack1", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("\"agent_id\": \"rack1\""), HasSubstr("10.77.1.1")));
}

TEST_F(AutopxectlTest, AnAgentThatWasNeverHeardOfIsRefused) {
  AddAgent(16, 0);
  for (const std::vector<std::string>& args :
       std::vector<std::vector<std::string>>{{"agent", "show", "rack9"},
                                             {"agent", "show", "rack9", "-o", "json"},
                                             {"history", "agent", "rack9"}}) {
    EXPECT_EQ(Ctl(args), kExitRefused);
    EXPECT_EQ(out_, "");
    EXPECT_EQ(err_,
              "autopxectl: agent \"rack9\": no such agent has reported, and nothing is set for it; "
              "see autopxectl agent list\n");
  }
  EXPECT_EQ(Ctl({"agent", "show", "lab"}), kExitOk) << "nothing is set for it: " << err_;
  EXPECT_EQ(Ctl({"history", "agent", "lab"}), kExitOk) << err_;
  server_.agent_settings.set_etag(5);
  EXPECT_EQ(Ctl({"agent", "show", "rack9"}), kExitOk) << "set before it came: " << err_;
}

TEST_F(AutopxectlTest, WhatIsSetForAllAgentsIsOneTable) {
  EXPECT_EQ(Ctl({"agent", "settings"}), kExitOk) << err_;
  EXPECT_EQ(out_, "AGENT  KEY  VALUE\n");
  for (const char* id : {"rack1", "rack2"}) {
    v1::AgentSettings* settings = server_.agents_settings.add_agents();
    settings->set_agent_id(id);
    (*settings->mutable_variables())["nfs-server"] = "10.77.1.1";
    (*settings->mutable_variables())["dns"] = "10.77.1.2";
  }
  server_.agents_settings.mutable_agents(1)->set_default_distro("a/b/c/d");
  EXPECT_EQ(Ctl({"agent", "settings"}), kExitOk);
  EXPECT_EQ(out_,
            "AGENT  KEY                   VALUE\n"
            "rack1  variables.dns         10.77.1.2\n"
            "rack1  variables.nfs-server  10.77.1.1\n"
            "rack2  default-distro        a/b/c/d\n"
            "rack2  variables.dns         10.77.1.2\n"
            "rack2  variables.nfs-server  10.77.1.1\n");
  EXPECT_EQ(Ctl({"agent", "settings", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("{\n \"agents\": ["), HasSubstr("\"agent_id\": \"rack2\"")));
  EXPECT_EQ(Ctl({"agent", "settings", "-o", "yaml"}), kExitOk);
  EXPECT_THAT(out_, AllOf(StartsWith("agents:\n  - agent_id: rack1\n"), HasSubstr("a/b/c/d")));
}

TEST_F(AutopxectlTest, OfAnAgentThatListensOnAllItsAddressesThePortsAreTold) {
  AddAgent(16, 0);
  v1::AgentStatus& status = *server_.agents.back().mutable_agents(0)->mutable_status();
  status.set_http_port(8080);
  status.set_tftp_port(69);
  EXPECT_EQ(Ctl({"agent", "list"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "ID   STATE    VIEW AGE  REVISION  KERNELS  HTTP   TFTP  VERSION\n"
            "lab  current  current   16        0        :8080  :69   -\n");
  status.set_http_address("10.77.1.1:8080");
  EXPECT_EQ(Ctl({"agent", "list"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr(" 10.77.1.1:8080  :69 "));
}

TEST_F(AutopxectlTest, WhoDeletesAnAgentIsToldThatItsSettingsStay) {
  EXPECT_EQ(Ctl({"agent", "delete", "lab"}), kExitOk);
  EXPECT_EQ(err_, "") << "nothing is set for it";
  server_.agent_settings.set_etag(5);
  for (const char* format : {"table", "json"}) {
    EXPECT_EQ(Ctl({"agent", "delete", "lab", "-o", format}), kExitOk);
    EXPECT_THAT(err_, StartsWith("what is set for agent \"lab\" stays: "));
  }
  EXPECT_EQ(Ctl({"agent", "delete", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("What is set for it stays"));
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
