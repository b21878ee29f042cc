#include "server/services/sorted_hosts.h"

#include <memory>
#include <utility>
#include <vector>

#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

std::shared_ptr<const Snapshot> WithHosts(int64_t number, std::vector<const char*> names) {
  std::vector<std::shared_ptr<const Host>> hosts;
  for (const char* name : names) {
    const auto id = static_cast<int64_t>(hosts.size()) + 1;
    hosts.push_back(std::make_shared<Host>(
        Host{HostId{id},
             *HostName::Parse(name),
             {MacAddress::FromNumber(0x525400000000 + static_cast<uint64_t>(id))}}));
  }
  return *Snapshot::Create(Revision{{number, 1}}, Settings(), {}, hosts);
}

TEST(SortedHostsTest, EachSnapshotIsSortedOnce) {
  SortedHosts sorted;
  const auto first = WithHosts(1, {"b", "c", "a"});
  const auto hosts = sorted.Of(first);
  ASSERT_EQ(hosts->size(), 3u);
  EXPECT_EQ((*hosts)[0]->name.text(), "a");
  EXPECT_EQ((*hosts)[2]->name.text(), "c");
  EXPECT_EQ(sorted.Of(first), hosts);
  const auto second = WithHosts(2, {"d"});
  EXPECT_EQ(sorted.Of(second)->size(), 1u);
  EXPECT_EQ(hosts->size(), 3u);
}

}  // namespace
}  // namespace autopxe::server
