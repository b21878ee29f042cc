#include "ctl/host_column.h"

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

v1::ListHostsResponse SomeHosts() {
  v1::ListHostsResponse hosts;
  v1::Host& login = *hosts.add_hosts();
  login.set_name("login1");
  login.set_locked(true);
  login.set_distro("local");
  v1::Host& cn10 = *hosts.add_hosts();
  cn10.set_name("cn10");
  cn10.set_distro("debian/bookworm/latest/nfs");
  (*cn10.mutable_labels())["rack"] = "r1";
  (*cn10.mutable_labels())["gpu"] = "a100";
  cn10.mutable_timed()->set_distro("local");
  cn10.mutable_timed()->mutable_until()->set_seconds(1'700'000'000);
  v1::Host& cn2 = *hosts.add_hosts();
  cn2.set_name("cn2");
  cn2.add_macs("52:54:00:00:00:01");
  cn2.add_macs("52:54:00:00:00:02");
  return hosts;
}

std::string NamesOf(const v1::ListHostsResponse& hosts) {
  return absl::StrJoin(hosts.hosts(), " ",
                       [](std::string* text, const v1::Host& host) { text->append(host.name()); });
}

TEST(HostColumnTest, HostsAreFilteredByAnyValueOfAColumn) {
  const struct {
    const char* filter;
    const char* names;
  } kCases[] = {
      {"distro=debian/*", "cn10"},   {"distro=", "cn2"},
      {"name=cn*", "cn10 cn2"},      {"labels=rack=r1", "cn10"},
      {"labels=gpu=*", "cn10"},      {"locked=yes", "login1"},
      {"locked=", "cn10 cn2"},       {"macs=*:02", "cn2"},
      {"until=", "login1 cn10 cn2"}, {"name=cn", ""},
  };
  for (const auto& c : kCases) {
    v1::ListHostsResponse hosts = SomeHosts();
    ASSERT_TRUE(FilterHosts(c.filter, kNow, hosts).ok()) << c.filter;
    EXPECT_EQ(NamesOf(hosts), c.names) << c.filter;
  }
}

TEST(HostColumnTest, HostsAreSortedAsPeopleCount) {
  v1::ListHostsResponse hosts = SomeHosts();
  ASSERT_TRUE(SortHosts("name", kNow, hosts).ok());
  EXPECT_EQ(NamesOf(hosts), "cn2 cn10 login1");
  ASSERT_TRUE(SortHosts("distro", kNow, hosts).ok());
  EXPECT_EQ(NamesOf(hosts), "cn2 cn10 login1");
  ASSERT_TRUE(SortHosts("locked", kNow, hosts).ok());
  EXPECT_EQ(NamesOf(hosts), "cn2 cn10 login1");
}

TEST(HostColumnTest, WhatHasEndedIsNoLongerTold) {
  const v1::Host host = SomeHosts().hosts(1);
  const HostColumn& until = **FindHostColumn("until");
  EXPECT_EQ(until.Text(host, kNow), "");
  EXPECT_THAT(until.Text(host, kNow - absl::Seconds(1)), HasSubstr(" local"));
}

TEST_F(AutopxectlTest, AHostListTellsTheColumnsAskedFor) {
  server_.selected["rack=r1"] = SomeHosts();
  EXPECT_EQ(Ctl({"host", "list", "-l", "rack=r1", "--columns", "name,labels,locked", "--sort",
                 "name", "--filter", "name=cn*"}),
            kExitOk)
      << err_;
  EXPECT_EQ(out_,
            "NAME  LABELS            LOCKED\ncn2   -                 -\ncn10  "
            "gpu=a100,rack=r1  -\n");
}

TEST_F(AutopxectlTest, AHostIsShownWithAllThatIsSetForIt) {
  server_.hosts = SomeHosts();
  server_.hosts.mutable_hosts(1)->mutable_next_boot()->set_distro("a/b/c/d");
  server_.hosts.mutable_hosts(1)->set_note("DIMM\x1b[2J");
  (*server_.hosts.mutable_hosts(1)->mutable_variables())["console"] = "ttyS1";
  EXPECT_EQ(Ctl({"host", "show", "cn10"}), kExitOk) << err_;
  for (const char* line : {"next boot ", "label gpu ", "label rack ", "variable console ", "note ",
                           "locked ", "(ended)"}) {
    EXPECT_THAT(out_, HasSubstr(line));
  }
  EXPECT_THAT(out_, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace autopxe::ctl
