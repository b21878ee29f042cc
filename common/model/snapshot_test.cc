#include "common/model/snapshot.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "common/model/test_snapshot.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(SnapshotTest, AnEmptyOneHasNothing) {
  const std::shared_ptr<const Snapshot> snapshot = Snapshot::Empty(RevisionOf(0));
  EXPECT_EQ(snapshot->revision(), RevisionOf(0));
  EXPECT_EQ(snapshot->settings(), Settings());
  EXPECT_TRUE(snapshot->agent_settings().empty());
  EXPECT_TRUE(snapshot->profiles().empty());
  EXPECT_EQ(snapshot->host_count(), 0u);
  EXPECT_EQ(snapshot->FindHost(MacOf(1)), nullptr);
  EXPECT_EQ(snapshot->FindProfile(ProfileNameOf("x")), nullptr);
}

TEST(SnapshotTest, FindsAHostByEveryKey) {
  const std::shared_ptr<const Snapshot> snapshot = TwoHosts();
  const std::shared_ptr<const Host> host = snapshot->FindHost(HostId{1});
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(host->name.text(), "a");
  EXPECT_EQ(snapshot->FindHost(MacOf(1)), host);
  EXPECT_EQ(snapshot->FindHost(MacOf(2)), host);
  EXPECT_EQ(snapshot->FindHost(NameOf("a")), host);
  EXPECT_EQ(snapshot->FindHost(HostReference(MacOf(2))), host);
  EXPECT_EQ(snapshot->FindHost(HostReference(NameOf("a"))), host);
  EXPECT_EQ(snapshot->FindHost(HostId{3}), nullptr);
  EXPECT_EQ(snapshot->FindHost(MacOf(4)), nullptr);
  EXPECT_EQ(snapshot->FindHost(NameOf("c")), nullptr);
  ASSERT_NE(snapshot->FindProfile(ProfileNameOf("nfsrw")), nullptr);
  EXPECT_EQ(snapshot->FindProfile(ProfileNameOf("nfsrw"))->command_line.text(), "rw");
  ASSERT_NE(snapshot->FindAgentSettings(AgentIdOf("rack2")), nullptr);
  EXPECT_EQ(snapshot->FindAgentSettings(AgentIdOf("rack2"))->default_distro, Distro::Wait());
  EXPECT_EQ(snapshot->FindAgentSettings(AgentIdOf("rack3")), nullptr);
}

TEST(SnapshotTest, ListsHostsByName) {
  // In order; long ones that begin alike, one that begins another, and one named by its MAC.
  const std::vector<std::string> names = {"52:54:00:00:00:01",
                                          "a",
                                          "a-b",
                                          "a.b",
                                          "a0",
                                          "abcdefgh",
                                          "abcdefgh-ijklmnop",
                                          "abcdefgh-ijklmnop.q",
                                          "abcdefgh-ijklmnoq",
                                          "abcdefghi",
                                          "b"};
  std::vector<std::shared_ptr<const Host>> hosts;
  for (const std::string& name : names) {
    const auto id = static_cast<int64_t>(hosts.size()) + 1;
    hosts.push_back(MakeHost(id, name, {MacOf(static_cast<uint64_t>(id))}));
  }
  std::shuffle(hosts.begin(), hosts.end(), std::mt19937(1));
  const auto snapshot = Snapshot::Create(RevisionOf(1), Settings(), {}, hosts).value();
  std::vector<std::string> listed;
  for (const auto& host : snapshot->HostsByName()) listed.push_back(host->name.text());
  EXPECT_EQ(listed, names);
}

TEST(SnapshotTest, CreateRefusesWhatIsSharedAndNamesIt) {
  const auto create = [](std::vector<std::shared_ptr<const Host>> hosts) {
    return Snapshot::Create(RevisionOf(1), Settings(), {}, hosts).status();
  };
  const auto a = MakeHost(1, "a", {MacOf(1)});
  EXPECT_THAT(
      create({a, MakeHost(1, "b", {MacOf(2)})}),
      StatusIs(absl::StatusCode::kInvalidArgument, "hosts a (id 1) and b (id 1) share an id"));
  EXPECT_THAT(
      create({a, MakeHost(2, "a", {MacOf(2)})}),
      StatusIs(absl::StatusCode::kInvalidArgument, "hosts a (id 1) and a (id 2) share a name"));
  EXPECT_THAT(create({a, MakeHost(2, "b", {MacOf(0), MacOf(1)})}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "hosts a (id 1) and b (id 2) share the MAC 02:00:00:00:00:01"));
  EXPECT_THAT(create({MakeHost(1, "a", {})}),
              StatusIs(absl::StatusCode::kInvalidArgument, "host a (id 1) has no MAC"));
  EXPECT_THAT(Snapshot::Create(RevisionOf(1), Settings(),
                               {MakeProfile("p", "a"), MakeProfile("p", "b")}, {}),
              StatusIs(absl::StatusCode::kInvalidArgument, "two profiles share the name p"));
  EXPECT_THAT(
      Snapshot::Create(RevisionOf(1), Settings(), {}, {},
                       {SettingsOf("lab", Distro::Local()), SettingsOf("lab", Distro::Wait())}),
      StatusIs(absl::StatusCode::kInvalidArgument, "there are settings for agent lab twice"));
}

TEST(SnapshotTest, OfSeveralFaultsCreateTellsTheFirstHostsAsApplyWould) {
  const auto good = MakeHost(1, "a", {MacOf(1)});
  const auto no_mac = MakeHost(2, "b", {});
  const auto same_id = MakeHost(1, "a", {MacOf(1)});
  const auto same_name = MakeHost(3, "a", {MacOf(1)});
  const auto twice = MakeHost(4, "c", {MacOf(2), MacOf(2)});
  for (const auto& hosts :
       std::vector<std::vector<std::shared_ptr<const Host>>>{{good, no_mac, same_id},
                                                             {good, same_id, no_mac},
                                                             {good, same_name, same_id},
                                                             {good, twice, same_name}}) {
    const absl::Status created = Snapshot::Create(RevisionOf(1), Settings(), {}, hosts).status();
    // Step by step, each host is one that was not there before.
    std::shared_ptr<const Snapshot> snapshot = Snapshot::Empty(RevisionOf(0));
    Change change = StepAfter(*snapshot);
    change.hosts = hosts;
    const absl::Status applied = Apply(*snapshot, change).status();
    EXPECT_FALSE(created.ok());
    EXPECT_EQ(created, applied);
  }
}

TEST(SnapshotTest, WithoutUsedNextBootsOnlyTheirHostsAreOthers) {
  Host host = *MakeHost(1, "a", {MacOf(1), MacOf(2)});
  host.next = NextBoot{Distro::Local(), 7};
  const auto snapshot =
      Snapshot::Create(RevisionOf(8), Settings(), {},
                       {std::make_shared<const Host>(host), MakeHost(2, "b", {MacOf(3)})})
          .value();
  // None of these is there: another token, a host without one, no host.
  EXPECT_EQ(WithoutNextBoots(snapshot, {{HostId{1}, 6}, {HostId{2}, 7}, {HostId{3}, 7}}), snapshot);

  const auto without = WithoutNextBoots(snapshot, {{HostId{1}, 7}});
  EXPECT_EQ(without->revision().id, snapshot->revision().id);
  EXPECT_EQ(without->host_count(), 2u);
  EXPECT_EQ(without->FindHost(HostId{2}), snapshot->FindHost(HostId{2}));
  Host expected = host;
  expected.next.reset();
  EXPECT_EQ(*without->FindHost(HostId{1}), expected);
  for (const auto& found :
       {without->FindHost(NameOf("a")), without->FindHost(MacOf(1)), without->FindHost(MacOf(2))}) {
    EXPECT_EQ(found, without->FindHost(HostId{1}));
  }
  EXPECT_EQ(*snapshot->FindHost(MacOf(1)), host) << "the one before is as it was";
}

}  // namespace
}  // namespace autopxe
