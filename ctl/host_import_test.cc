#include <algorithm>
#include <string>

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

TEST_F(AutopxectlTest, HostsAreImportedAsOneBatch) {
  v1::Host& known = *server_.hosts.add_hosts();
  known.set_name("cn2");
  known.add_macs("52:54:00:00:00:02");
  in_ = "name,macs,label.rack\ncn1,525400000001,r1\ncn2,,r2\n";
  EXPECT_EQ(Ctl({"host", "import", "-", "--format", "csv", "--dry-run"}), kExitOk) << err_;
  EXPECT_EQ(err_, "standard input: 1 new, 1 known\n");
  ASSERT_THAT(server_.changes(), SizeIs(1));
  EXPECT_EQ(server_.changes().back(),
            "ApplyRequest mutations { create_host { name: \"cn1\" macs: \"52:54:00:00:00:01\" } } "
            "mutations { update_host { host: \"cn1\" set_labels { key: \"rack\" value: \"r1\" } } "
            "} mutations { update_host { host: \"cn2\" set_labels { key: \"rack\" value: \"r2\" } "
            "} } options { validate_only: true user: \"ada@desk\" }");
}

TEST_F(AutopxectlTest, AnImportOfHostsWithABadLineChangesNothingAndNamesEach) {
  in_ = "name,macs\ncn1,52\ncn2,525400000002,x\n";
  EXPECT_EQ(Ctl({"host", "import", "-", "--format", "csv"}), kExitRefused);
  EXPECT_THAT(err_, AllOf(HasSubstr("standard input:2:5: macs: "),
                          HasSubstr("standard input:3:1: expected 2 values"),
                          HasSubstr("2 things can't be taken, so nothing was changed")));
  EXPECT_THAT(server_.changes(), IsEmpty());
  // By its name the file is YAML.
  const std::string file = FileWith("- name: cn1\n");
  EXPECT_EQ(Ctl({"host", "import", file}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr(absl::StrCat(file, ":1:3: host \"cn1\" is new")));
}

TEST_F(AutopxectlTest, OfAnImportWithManyBadLinesTheFirstAreToldAndHowManyMoreThereAre) {
  in_ = "name,macs\n";
  for (int i = 0; i < 5000; ++i) in_ += absl::StrCat("cn", i, ",52\n");
  EXPECT_EQ(Ctl({"host", "import", "-", "--format", "csv"}), kExitRefused);
  EXPECT_EQ(std::count(err_.begin(), err_.end(), '\n'), 22);
  EXPECT_THAT(err_, AllOf(HasSubstr("standard input:21:6: macs: "),
                          HasSubstr("standard input: and 4980 more\n"),
                          HasSubstr("5000 things can't be taken")));
}

}  // namespace
}  // namespace autopxe::ctl
