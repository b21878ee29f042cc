#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

TEST_F(AutopxectlTest, EveryChangeOfHostsIsOneBatch) {
  const struct {
    std::vector<std::string> args;
    std::string mutations;
  } kCases[] = {
      {{"host", "create", "web1", "52:54:00:12:34:56", "--label", "rack=r1"},
       "mutations { create_host { name: \"web1\" macs: \"52:54:00:12:34:56\" } } "
       "mutations { update_host { host: \"web1\" set_labels { key: \"rack\" value: \"r1\" } } }"},
      {{"host", "create", "525400123456", "--label", "a=b"},
       "mutations { create_host { macs: \"525400123456\" } } "
       "mutations { update_host { host: \"525400123456\" set_labels { key: \"a\" value: \"b\" } } "
       "}"},
      {{"host", "set", "cn[1-2]", "console=ttyS1,115200", "--unset", "x"},
       "mutations { update_host { host: \"cn1\" set_variables { key: \"console\" value: "
       "\"ttyS1,115200\" } unset_variables: \"x\" } } "
       "mutations { update_host { host: \"cn2\" set_variables { key: \"console\" value: "
       "\"ttyS1,115200\" } unset_variables: \"x\" } }"},
      {{"host", "label", "web1", "rack=r1", "note=", "old-"},
       "mutations { update_host { host: \"web1\" set_labels { key: \"note\" value: \"\" } "
       "set_labels { key: \"rack\" value: \"r1\" } unset_labels: \"old\" } }"},
      {{"host", "note", "web1", "[rma, 17]"},
       "mutations { update_host { host: \"web1\" note: \"[rma, 17]\" } }"},
      {{"host", "note", "web1", ""}, "mutations { update_host { host: \"web1\" note: \"\" } }"},
      {{"host", "lock", "web1"}, "mutations { update_host { host: \"web1\" locked: true } }"},
      {{"host", "unlock", "web1"}, "mutations { update_host { host: \"web1\" locked: false } }"},
      {{"host", "rename", "web1", "web2"},
       "mutations { update_host { host: \"web1\" name: \"web2\" } }"},
      {{"host", "add-mac", "web1", "52:54:00:00:00:01", "--remove", "52:54:00:00:00:02"},
       "mutations { update_host { host: \"web1\" add_macs: \"52:54:00:00:00:01\" remove_macs: "
       "\"52:54:00:00:00:02\" } }"},
      {{"host", "remove-mac", "web1", "52:54:00:00:00:01", "52:54:00:00:00:02"},
       "mutations { update_host { host: \"web1\" remove_macs: \"52:54:00:00:00:01\" remove_macs: "
       "\"52:54:00:00:00:02\" } }"},
      {{"group", "set", "gpu", "-s", "gpu!=none", "--priority", "-5", "--distro", "local", "--set",
        "a=b", "--unset", "c"},
       "mutations { set_group { name: \"gpu\" selector: \"gpu!=none\" priority: -5 distro: "
       "\"local\" set_variables { key: \"a\" value: \"b\" } unset_variables: \"c\" } }"},
      {{"group", "set", "gpu", "--no-distro"},
       "mutations { set_group { name: \"gpu\" distro: \"\" } }"},
      {{"group", "delete", "gpu", "rack1"},
       "mutations { delete_group { name: \"gpu\" } } mutations { delete_group { name: \"rack1\" } "
       "}"},
  };
  size_t count = 0;
  for (const auto& c : kCases) {
    EXPECT_EQ(Ctl(c.args), kExitOk) << err_;
    ASSERT_THAT(server_.changes(), SizeIs(++count)) << testing::PrintToString(c.args);
    EXPECT_EQ(server_.changes().back(),
              absl::StrCat("ApplyRequest ", c.mutations, " options { user: \"ada@desk\" }"));
  }
}

TEST_F(AutopxectlTest, TheHelpOfALockSaysWhatItDoesNotCover) {
  EXPECT_EQ(Ctl({"host", "lock", "--help"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("Not covered: variables and profiles"));
}

}  // namespace
}  // namespace autopxe::ctl
