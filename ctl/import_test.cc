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
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST_F(AutopxectlTest, AnImportIsOneBatchThatSaysWhatItDoesWithEachKey) {
  const std::string file = FileWith(
      "version: 1\nDefaultDistro: a/b/c/p\nEnv:\n  x: 1\nOther: y\nCmdlineTemplates:\n  p: "
      "root=${x}\n"
      "HostDefaults:\n  bc2411b01ade: a/b/c/p\n");
  EXPECT_EQ(Ctl({"import", "autopxe", file}), kExitOk) << err_;
  EXPECT_EQ(out_, absl::StrCat(
                      file, ":1: version: 1: AutoPXE's format\n",               //
                      file, ":2: DefaultDistro: default-distro = a/b/c/p\n",    //
                      file, ":4: Env.x: variables.x = 1\n",                     //
                      file, ":5: Other: not taken: unknown key\n",              //
                      file, ":7: CmdlineTemplates.p: profile p = root=${x}\n",  //
                      file, ":9: HostDefaults.bc2411b01ade: host bc:24:11:b0:1a:de boots a/b/c/p\n",
                      "it was so already; revision 17\n"));
  ASSERT_THAT(server_.changes(), SizeIs(1));
  EXPECT_EQ(server_.changes()[0],
            "ApplyRequest mutations { set_profile { name: \"p\" command_line: \"root=${x}\" } } "
            "mutations { update_settings { default_distro: \"a/b/c/p\" allow_missing: true } } "
            "mutations { update_settings { set_variables { key: \"x\" value: \"1\" } } } "
            "mutations { assign { host: \"bc:24:11:b0:1a:de\" distro: \"a/b/c/p\" allow_missing: "
            "true } } "
            "options { user: \"ada@desk\" }");

  EXPECT_EQ(Ctl({"import", "autopxe", file, "--dry-run", "-o", "json"}), kExitOk);
  EXPECT_THAT(server_.changes().back(), HasSubstr("validate_only: true"));
  EXPECT_THAT(out_, StartsWith("{\n \"revision\""));
  EXPECT_THAT(err_, HasSubstr(":5: Other: not taken: unknown key\n"));
}

TEST_F(AutopxectlTest, AnImportWithABadKeyChangesNothingAndNamesEachLine) {
  const std::string file = FileWith("version: 1\nDefaultDistro: a\nEnv:\n  b: \"\\e[1m\"\n");
  EXPECT_EQ(Ctl({"import", "autopxe", file}), kExitRefused);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr(":2: DefaultDistro: "), HasSubstr(":4: Env.b: "),
                          HasSubstr("2 keys can't be taken, so nothing was changed"),
                          Not(HasSubstr("\x1b"))));
  EXPECT_THAT(server_.changes(), IsEmpty());
  EXPECT_EQ(Ctl({"import", "autopxe", FileWith("nothing")}), kExitRefused);
  EXPECT_THAT(err_, HasSubstr("config.yaml:1: expected keys"));
}

}  // namespace
}  // namespace autopxe::ctl
