// HOSTS of commands that read.

#include "ctl/known_hosts.h"

#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class KnownHostsTest : public AutopxectlTest {
 protected:
  KnownHostsTest() {
    for (int i = 1; i <= 4; ++i) {
      const std::string name = absl::StrCat("cn", i);
      v1::Host& host = *server_.hosts.add_hosts();
      host.set_name(name);
      host.set_distro("local");
      v1::Decision& decision = *server_.decisions.add_decisions();
      decision.set_host(name);
      decision.set_distro("local");
      if (i > 2) *server_.selected["rack=r2"].add_hosts() = host;
    }
  }
};

TEST_F(KnownHostsTest, AListIsOfThoseThatAreNamedInThatOrderAndOfTheSelectors) {
  in_ = "cn3\n";
  EXPECT_EQ(Ctl({"host", "list", "CN[2,1]", "-", "-l", "rack=r2", "--columns", "name"}),
            kExitRefused);
  // The fake knows names as they are written only.
  EXPECT_EQ(out_, "NAME\ncn3\ncn4\n");
  EXPECT_EQ(Ctl({"host", "list", "cn[2,1]", "-l", "rack=r2", "!cn3", "--columns", "name"}), kExitOk)
      << err_;
  EXPECT_EQ(out_, "NAME\ncn2\ncn1\ncn4\n");
}

TEST_F(KnownHostsTest, ThoseThatAreUnknownAreNamedFoldedAndMakeTheExitCodeOne) {
  EXPECT_EQ(Ctl({"host", "list", "cn[4-7]", "--columns", "name"}), kExitRefused);
  EXPECT_EQ(out_, "NAME\ncn4\n");
  EXPECT_EQ(err_, "autopxectl: 3 of the hosts are unknown: cn[5-7]; see autopxectl host list\n");
  EXPECT_EQ(Ctl({"resolve", "--fold", "cn[3-6]"}), kExitRefused);
  EXPECT_THAT(out_, HasSubstr("2      cn[3-4]  local"));
  EXPECT_EQ(err_, "autopxectl: 2 of the hosts are unknown: cn[5-6]; see autopxectl host list\n");
  // Of a single one the server says which it is most like.
  EXPECT_EQ(Ctl({"resolve", "cn[3-5]"}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("no such host"));
}

TEST_F(KnownHostsTest, WhatIsTakenOutIsNotToldAndNeedNotBeKnown) {
  EXPECT_EQ(Ctl({"resolve", "cn[1-4]!cn4", "!cn[1-2]!cn9", "-o", "json"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("\"host\": \"cn3\""));
  EXPECT_THAT(server_.questions(),
              ElementsAre("ListDecisionsRequest page_size: 1000 hosts: \"cn1\" hosts: \"cn2\" "
                          "hosts: \"cn3\""));
  EXPECT_EQ(Ctl({"host", "list", "!cn[1-3]", "--columns", "name"}), kExitOk) << err_;
  EXPECT_EQ(out_, "NAME\ncn4\n");
}

TEST_F(KnownHostsTest, AFileThatNamesNobodyIsNotEveryHost) {
  in_ = "# nobody\n";
  EXPECT_EQ(Ctl({"host", "list", "-", "--columns", "name"}), kExitOk) << err_;
  EXPECT_EQ(out_, "NAME\n");
  EXPECT_EQ(Ctl({"resolve", "-f", FileWith("")}), kExitOk) << err_;
  EXPECT_THAT(server_.questions(), IsEmpty());
  EXPECT_EQ(Ctl({"resolve", "-l", " "}), kExitUsage);
}

TEST_F(KnownHostsTest, ThousandsAreAskedForInSeveralRequests) {
  EXPECT_EQ(Ctl({"host", "list", "cn[1-2500]", "--columns", "name"}), kExitRefused);
  EXPECT_THAT(server_.questions(), SizeIs(3));
  EXPECT_EQ(out_, "NAME\ncn1\ncn2\ncn3\ncn4\n");
  EXPECT_EQ(err_,
            "autopxectl: 2496 of the hosts are unknown: cn[5-2500]; see autopxectl host list\n");
}

}  // namespace
}  // namespace autopxe::ctl
