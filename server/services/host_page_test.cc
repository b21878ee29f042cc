#include "server/services/host_page.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/mac_address.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Ascending by name; every `step`th is of rack r1, the others of r2.
SortedHosts::Hosts HostsOf(size_t count, size_t step) {
  SortedHosts::Hosts hosts;
  for (size_t i = 0; i < count; ++i) {
    Host host{.id = HostId(static_cast<int64_t>(i) + 1),
              .name = *HostName::Parse(absl::StrCat("h", 100'000 + i)),
              .macs = {MacAddress::FromNumber(0x525400000000 + i)}};
    host.labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse(i % step == 0 ? "r1" : "r2")}};
    hosts.push_back(std::make_shared<const Host>(std::move(host)));
  }
  return hosts;
}

struct Visited {
  std::vector<std::string> names;
  std::string next;
};

Visited Visit(const SortedHosts::Hosts& hosts, size_t size, const std::string& after,
              const std::string& selector, size_t bytes = 1) {
  Visited visited;
  visited.next =
      VisitPage(hosts, Page{size, after}, *ParseSelector(selector), [&](const Host& host) {
        visited.names.push_back(host.name.text());
        return bytes;
      });
  return visited;
}

TEST(HostPageTest, WithoutASelectorAllHostsAreOnThePages) {
  const SortedHosts::Hosts hosts = HostsOf(5, 1);
  const Visited first = Visit(hosts, 3, "", "");
  EXPECT_THAT(first.names, ElementsAre("h100000", "h100001", "h100002"));
  EXPECT_EQ(first.next, "h100002");
  const Visited last = Visit(hosts, 3, first.next, "");
  EXPECT_THAT(last.names, ElementsAre("h100003", "h100004"));
  EXPECT_EQ(last.next, "");
}

TEST(HostPageTest, ASelectorLeavesTheOthersOut) {
  const SortedHosts::Hosts hosts = HostsOf(7, 3);
  const Visited first = Visit(hosts, 2, "", "rack=r1");
  EXPECT_THAT(first.names, ElementsAre("h100000", "h100003"));
  const Visited last = Visit(hosts, 2, first.next, "rack=r1");
  EXPECT_THAT(last.names, ElementsAre("h100006"));
  EXPECT_EQ(last.next, "");
}

TEST(HostPageTest, APageThatIsJustFullAtTheEndHasNoNext) {
  EXPECT_EQ(Visit(HostsOf(3, 1), 3, "", "").next, "");
}

TEST(HostPageTest, APageOfManyBytesEndsEarly) {
  const Visited visited = Visit(HostsOf(3, 1), 3, "", "", kMaxPageBytes + 1);
  EXPECT_THAT(visited.names, ElementsAre("h100000"));
  EXPECT_EQ(visited.next, "h100000");
}

TEST(HostPageTest, ASelectorOfFewHostsEndsAPageBeforeItHasLookedAtAll) {
  const SortedHosts::Hosts hosts = HostsOf(2 * kMaxHostsLookedAt + 1, 2 * kMaxHostsLookedAt);
  const Visited first = Visit(hosts, 100, "", "rack=r1");
  EXPECT_THAT(first.names, ElementsAre("h100000"));
  const Visited second = Visit(hosts, 100, first.next, "rack=r1");
  EXPECT_THAT(second.names, IsEmpty());
  const Visited last = Visit(hosts, 100, second.next, "rack=r1");
  EXPECT_THAT(last.names, ElementsAre(hosts.back()->name.text()));
  EXPECT_EQ(last.next, "");
}

TEST(HostPageTest, ASelectorThatIsNoneIsRefused) {
  EXPECT_THAT(ParseSelector("rack="), IsOk());
  EXPECT_THAT(ParseSelector("rack=r 1"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("rack=r 1")));
}

}  // namespace
}  // namespace autopxe::server
