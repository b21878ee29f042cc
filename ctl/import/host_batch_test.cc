#include "ctl/import/host_batch.h"

#include <string>

#include "ctl/import/host_csv.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

MacAddress Mac(int number) { return MacAddress::FromNumber(0x525400000000u + number); }
HostName NameOf(const std::string& text) { return *HostName::Parse(text); }

void AddHost(const std::string& name, int mac, v1::ListHostsResponse& hosts) {
  v1::Host& host = *hosts.add_hosts();
  host.set_name(name);
  host.add_macs(Mac(mac).Format());
}

HostBatch BatchOf(const std::string& csv, const v1::ListHostsResponse& current) {
  const HostRecords read = ReadHostRecords(ParseHostCsv(csv));
  EXPECT_THAT(read.problems, IsEmpty());
  return BuildHostBatch(read.records, current);
}

TEST(HostBatchTest, WhatIsNewIsCreatedWithAllThatTheFileSays) {
  const HostBatch batch = BatchOf(
      "name,macs,label.rack,distro\ncn1,525400000002 525400000001,r1,local\n,525400000003,,\n", {});
  EXPECT_THAT(batch.problems, IsEmpty());
  EXPECT_EQ(batch.created, 2);
  UpdateHost update{.host = NameOf("cn1")};
  update.set_labels.emplace(*LabelKey::Parse("rack"), *LabelValue::Parse("r1"));
  EXPECT_THAT(batch.mutations,
              ElementsAre(Mutation(CreateHost{NameOf("cn1"), {Mac(1), Mac(2)}}), Mutation(update),
                          Mutation(Assign{.host = NameOf("cn1"),
                                          .distro = *Distro::Parse("local"),
                                          .allow_missing = true}),
                          Mutation(CreateHost{NameByMac(Mac(3)), {Mac(3)}})));
  ASSERT_THAT(batch.places, SizeIs(4));
  EXPECT_EQ(batch.places[2].line, 2);
}

TEST(HostBatchTest, WhatIsKnownIsMadeAsTheFileSaysAndNoMore) {
  v1::ListHostsResponse current;
  AddHost("cn1", 1, current);
  AddHost("cn2", 2, current);
  AddHost(Mac(3).Format(), 3, current);
  current.mutable_hosts(0)->set_distro("local");
  const HostBatch batch = BatchOf(
      "name,macs,distro\ncn1,525400000001,local\ncn2,525400000009,\ncn3,525400000003,\n", current);
  EXPECT_THAT(batch.problems, IsEmpty());
  EXPECT_EQ(batch.known, 3);
  UpdateHost replaced{.host = NameOf("cn2")};
  replaced.add_macs = {Mac(9)};
  replaced.remove_macs = {Mac(2)};
  UpdateHost named{.host = NameByMac(Mac(3))};
  named.name = NameOf("cn3");
  EXPECT_THAT(batch.mutations, ElementsAre(Mutation(replaced), Mutation(named)));
}

TEST(HostBatchTest, WhatContradictsTheServerIsToldByItsLine) {
  v1::ListHostsResponse current;
  AddHost("web1", 1, current);
  AddHost(Mac(3).Format(), 3, current);
  current.mutable_hosts(1)->add_macs(Mac(4).Format());
  const HostBatch batch =
      BatchOf("name,macs\ncn1,525400000001\ncn2,\ncn3,525400000003\n,525400000004\n", current);
  ASSERT_THAT(batch.problems, SizeIs(3));
  EXPECT_EQ(batch.problems[0].place.line, 2);
  EXPECT_THAT(batch.problems[0].message, HasSubstr("a MAC is of host \"web1\", not \"cn1\""));
  EXPECT_THAT(batch.problems[1].message, HasSubstr("\"cn2\" is new"));
  EXPECT_THAT(batch.problems[2].message, HasSubstr("as is line 4"));
}

}  // namespace
}  // namespace autopxe::ctl
