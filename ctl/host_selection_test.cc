#include "ctl/host_selection.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kOptions[] = "options { user: \"ada@desk\" }";

TEST_F(AutopxectlTest, HostlistsFilesSelectorsAndStandardInputComeTogetherInOneRequest) {
  for (const char* name : {"cn2", "gpu1"}) {
    server_.selected["rack=r1"].add_hosts()->set_name(name);
  }
  const std::string file = FileWith("# spare hosts\n\n  n[1-2]  # two\r\n52:54:00:12:34:56\ncn1\n");
  in_ = "login1\n";
  EXPECT_EQ(Ctl({"unassign", "cn[1-3]!cn3", "-", "-l", "rack=r1", "-f", file}), kExitOk) << err_;
  EXPECT_THAT(server_.changes(), SizeIs(1));
  EXPECT_EQ(server_.changes().back(),
            absl::StrCat("UnassignHostsRequest hosts: \"cn1\" hosts: \"cn2\" hosts: \"login1\" "
                         "hosts: \"n1\" hosts: \"n2\" hosts: \"52:54:00:12:34:56\" "
                         "hosts: \"gpu1\" ",
                         kOptions));
  EXPECT_EQ(Ctl({"assign", "-l", "rack=r1", "local"}), kExitOk) << err_;
  EXPECT_EQ(server_.changes().back(),
            absl::StrCat("AssignHostsRequest hosts: \"cn2\" hosts: \"gpu1\" distro: \"local\" ",
                         kOptions));
}

TEST_F(AutopxectlTest, TenThousandHostsAreOneRequest) {
  EXPECT_EQ(Ctl({"host", "lock", "cn[00001-10000]"}), kExitOk) << err_;
  ASSERT_THAT(server_.changes(), SizeIs(1));
  EXPECT_THAT(server_.changes().back(),
              HasSubstr("update_host { host: \"cn10000\" locked: true }"));
}

TEST_F(AutopxectlTest, AWordThatBeginsWithAnExclamationMarkTakesHostsOutOfAllOfThem) {
  for (const char* name : {"gpu1", "gpu2", "gpu3"}) {
    server_.selected["gpu!=none"].add_hosts()->set_name(name);
  }
  EXPECT_EQ(Ctl({"unassign", "cn[1-2]", "-l", "gpu!=none", "!GPU[1-2]!cn2"}), kExitOk) << err_;
  EXPECT_EQ(server_.changes().back(),
            absl::StrCat("UnassignHostsRequest hosts: \"cn1\" hosts: \"gpu3\" ", kOptions));
  const std::vector<std::vector<std::string>> usage = {{"unassign", "!cn1"},
                                                       {"unassign", "cn[1-3]", "!cn1,cn2"},
                                                       {"unassign", "cn1", "!525400123456"}};
  for (const std::vector<std::string>& words : usage) EXPECT_EQ(Ctl(words), kExitUsage) << err_;
  EXPECT_EQ(Ctl({"unassign", "cn1", "!cn1"}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("'!' takes out all"));
  EXPECT_THAT(server_.changes(), SizeIs(1));
}

TEST_F(AutopxectlTest, NothingSelectedIsSaidAndChangesNothing) {
  EXPECT_EQ(Ctl({"unassign", "-l", "rack=r9"}), kExitRefused);
  EXPECT_THAT(err_, AllOf(HasSubstr("no host is selected"), HasSubstr("\"rack=r9\"")));
  EXPECT_EQ(Ctl({"unassign", "-f", FileWith("# nobody\n")}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("the file names none"));
  EXPECT_EQ(Ctl({"unassign", "-f", FileWith("cn1\ncn[2-\n")}), kExitUsage);
  EXPECT_THAT(err_, HasSubstr("config.yaml:2: "));
  EXPECT_THAT(server_.changes(), IsEmpty());
}

}  // namespace
}  // namespace autopxe::ctl
