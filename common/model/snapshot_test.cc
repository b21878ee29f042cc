#include "common/model/snapshot.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

HostName NameOf(absl::string_view text) { return HostName::Parse(text).value(); }
MacAddress MacOf(uint64_t number) { return MacAddress::FromNumber(0x020000000000 + number); }
ProfileName ProfileNameOf(absl::string_view text) { return ProfileName::Parse(text).value(); }

std::shared_ptr<const Host> MakeHost(int64_t id, absl::string_view name,
                                     std::vector<MacAddress> macs, int64_t etag = 1) {
  return std::make_shared<const Host>(
      Host{.id = HostId{id}, .name = NameOf(name), .macs = std::move(macs), .etag = etag});
}

Profile MakeProfile(absl::string_view name, absl::string_view command_line) {
  return Profile{ProfileNameOf(name), CommandLineTemplate::Parse(command_line).value(), 1};
}

Revision RevisionOf(int64_t number) {
  Revision revision;
  revision.id = {number, static_cast<uint64_t>(number) * 77};
  return revision;
}

Change StepAfter(const Snapshot& snapshot) {
  Change change;
  change.base = snapshot.revision().id;
  change.revision = RevisionOf(snapshot.revision().id.number + 1);
  return change;
}

AgentId AgentIdOf(absl::string_view text) { return AgentId::Parse(text).value(); }

AgentSettings SettingsOf(absl::string_view agent, Distro default_distro) {
  return {.agent = AgentIdOf(agent),
          .default_distro = std::move(default_distro),
          .variables = {},
          .rootfs_path_prefix = {}};
}

std::shared_ptr<const Snapshot> TwoHosts() {
  return Snapshot::Create(
             RevisionOf(5), Settings(),
             {MakeProfile("overlayfs", "ro"), MakeProfile("nfsrw", "rw")},
             {MakeHost(1, "a", {MacOf(1), MacOf(2)}), MakeHost(2, "b", {MacOf(3)})},
             {SettingsOf("rack1", Distro::Local()), SettingsOf("rack2", Distro::Wait())})
      .value();
}

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

TEST(ApplyTest, LeavesTheOldSnapshotAndSharesWhatDidNotChange) {
  const std::shared_ptr<const Snapshot> before = TwoHosts();
  Change change = StepAfter(*before);
  change.hosts = {MakeHost(2, "b2", {MacOf(4)}, 6)};
  const absl::StatusOr<std::shared_ptr<const Snapshot>> after = Apply(*before, change);
  ASSERT_THAT(after, IsOk());
  EXPECT_EQ((*after)->revision(), change.revision);
  EXPECT_EQ((*after)->FindHost(HostId{1}), before->FindHost(HostId{1}));
  EXPECT_EQ(&(*after)->profiles(), &before->profiles());
  EXPECT_EQ(&(*after)->settings(), &before->settings());
  EXPECT_EQ(&(*after)->agent_settings(), &before->agent_settings());
  EXPECT_EQ((*after)->FindHost(HostId{2}), change.hosts[0]);
  EXPECT_EQ((*after)->FindHost(NameOf("b")), nullptr);
  EXPECT_EQ((*after)->FindHost(MacOf(3)), nullptr);

  EXPECT_EQ(before->FindHost(NameOf("b"))->macs.front(), MacOf(3));
  EXPECT_EQ(before->FindHost(NameOf("b2")), nullptr);
}

TEST(ApplyTest, ChangesSettingsAndProfiles) {
  const std::shared_ptr<const Snapshot> before = TwoHosts();
  Change change = StepAfter(*before);
  change.settings.emplace();
  change.settings->default_distro = Distro::Menu();
  change.profiles = {MakeProfile("overlayfs", "changed"), MakeProfile("new", "n")};
  change.deleted_profiles = {ProfileNameOf("nfsrw"), ProfileNameOf("never-there")};
  const std::shared_ptr<const Snapshot> after = Apply(*before, change).value();
  EXPECT_EQ(after->settings(), *change.settings);
  EXPECT_EQ(after->profiles().size(), 2u);
  EXPECT_EQ(after->FindProfile(ProfileNameOf("overlayfs"))->command_line.text(), "changed");
  EXPECT_EQ(after->FindProfile(ProfileNameOf("nfsrw")), nullptr);
  EXPECT_EQ(before->FindProfile(ProfileNameOf("overlayfs"))->command_line.text(), "ro");
  EXPECT_EQ(before->settings(), Settings());
}

TEST(ApplyTest, ChangesTheSettingsOfOneAgentAndLeavesTheOthers) {
  const std::shared_ptr<const Snapshot> before = TwoHosts();
  Change change = StepAfter(*before);
  EXPECT_TRUE(change.empty());
  change.agent_settings = {SettingsOf("rack1", Distro::Menu()), SettingsOf("new", Distro::Menu())};
  EXPECT_FALSE(change.empty());
  const std::shared_ptr<const Snapshot> after = Apply(*before, change).value();
  EXPECT_EQ(after->agent_settings().size(), 3u);
  EXPECT_EQ(after->FindAgentSettings(AgentIdOf("rack1"))->default_distro, Distro::Menu());
  EXPECT_EQ(after->FindAgentSettings(AgentIdOf("rack2"))->default_distro, Distro::Wait());
  EXPECT_EQ(before->FindAgentSettings(AgentIdOf("rack1"))->default_distro, Distro::Local());

  Change removal = StepAfter(*after);
  removal.deleted_agent_settings = {AgentIdOf("rack1"), AgentIdOf("never-there")};
  EXPECT_FALSE(removal.empty());
  const std::shared_ptr<const Snapshot> last = Apply(*after, removal).value();
  EXPECT_EQ(last->agent_settings().size(), 2u);
  EXPECT_EQ(last->FindAgentSettings(AgentIdOf("rack1")), nullptr);
}

TEST(ApplyTest, WhatIsSaidOfNoSingleHostIsTheSameUntilItChanges) {
  const std::shared_ptr<const Snapshot> before = TwoHosts();
  const Snapshot::Common common(*before);
  EXPECT_TRUE(common.IsOf(*before));
  EXPECT_FALSE(Snapshot::Common().IsOf(*before));

  Change hosts = StepAfter(*before);
  hosts.hosts = {MakeHost(1, "c", {MacOf(1)})};
  hosts.deleted_hosts = {HostId{2}};
  hosts.groups = {std::make_shared<const Group>(
      Group{.name = GroupName::Parse("g").value(), .selector = Selector::Parse("rack=1").value()})};
  EXPECT_TRUE(common.IsOf(**Apply(*before, hosts)));

  Change settings = StepAfter(*before);
  settings.settings = before->settings();
  EXPECT_FALSE(common.IsOf(**Apply(*before, settings)));
  Change own = StepAfter(*before);
  own.deleted_agent_settings = {AgentIdOf("rack1")};
  EXPECT_FALSE(common.IsOf(**Apply(*before, own)));
  Change profiles = StepAfter(*before);
  profiles.deleted_profiles = {ProfileNameOf("nfsrw")};
  EXPECT_FALSE(common.IsOf(**Apply(*before, profiles)));
  Change declared = StepAfter(*before);
  declared.deleted_declared_distros = {DistroName::Parse("memtest").value()};
  EXPECT_FALSE(common.IsOf(**Apply(*before, declared)));
}

TEST(ApplyTest, NamesAndMacsCanBeSwappedInOneChange) {
  const std::shared_ptr<const Snapshot> before = TwoHosts();
  Change change = StepAfter(*before);
  change.hosts = {MakeHost(1, "b", {MacOf(3)}), MakeHost(2, "a", {MacOf(1), MacOf(2)})};
  const std::shared_ptr<const Snapshot> after = Apply(*before, change).value();
  EXPECT_EQ(after->FindHost(NameOf("a")), change.hosts[1]);
  EXPECT_EQ(after->FindHost(MacOf(2)), change.hosts[1]);
  EXPECT_EQ(after->FindHost(MacOf(3)), change.hosts[0]);
  EXPECT_EQ(after->host_count(), 2u);
}

TEST(ApplyTest, AMacOfADeletedHostIsFree) {
  const std::shared_ptr<const Snapshot> before = TwoHosts();
  Change change = StepAfter(*before);
  change.deleted_hosts = {HostId{1}, HostId{99}};
  change.hosts = {MakeHost(3, "a", {MacOf(1)})};
  const std::shared_ptr<const Snapshot> after = Apply(*before, change).value();
  EXPECT_EQ(after->host_count(), 2u);
  EXPECT_EQ(after->FindHost(MacOf(1)), change.hosts[0]);
  EXPECT_EQ(after->FindHost(MacOf(2)), nullptr);
}

TEST(ApplyTest, RefusesAChangeOfAnotherRevision) {
  const std::shared_ptr<const Snapshot> snapshot = TwoHosts();
  Change other_number = StepAfter(*snapshot);
  other_number.base.number += 1;
  Change other_tag = StepAfter(*snapshot);
  other_tag.base.tag += 1;
  for (const Change& change : {other_number, other_tag}) {
    EXPECT_THAT(Apply(*snapshot, change),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr(change.base.Format()),
                               HasSubstr(snapshot->revision().id.Format()))));
  }
}

TEST(ApplyTest, RefusesWhatWouldBeSharedAndLeavesTheOldSnapshot) {
  const std::shared_ptr<const Snapshot> snapshot = TwoHosts();
  const auto apply = [&](std::vector<std::shared_ptr<const Host>> hosts) {
    Change change = StepAfter(*snapshot);
    change.hosts = std::move(hosts);
    return Apply(*snapshot, change);
  };
  EXPECT_THAT(apply({MakeHost(3, "c", {MacOf(2)})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("share the MAC")));
  EXPECT_THAT(apply({MakeHost(3, "a", {MacOf(9)})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("share a name")));
  EXPECT_THAT(apply({MakeHost(3, "c", {MacOf(8)}), MakeHost(3, "d", {MacOf(9)})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("share an id")));
  EXPECT_THAT(apply({MakeHost(2, "b", {})}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("has no MAC")));
  EXPECT_EQ(snapshot->host_count(), 2u);
  EXPECT_EQ(snapshot->FindHost(MacOf(3))->name.text(), "b");
}

// The plainest snapshot that can be: every question is answered by looking at every host.
struct NaiveSnapshot {
  std::map<int64_t, std::shared_ptr<const Host>> hosts;

  std::shared_ptr<const Host> Find(const MacAddress& mac) const {
    for (const auto& [id, host] : hosts) {
      if (std::count(host->macs.begin(), host->macs.end(), mac) > 0) return host;
    }
    return nullptr;
  }
  std::shared_ptr<const Host> Find(const HostName& name) const {
    for (const auto& [id, host] : hosts) {
      if (host->name == name) return host;
    }
    return nullptr;
  }
  bool IsValid() const {
    std::set<HostName> names;
    std::set<MacAddress> macs;
    for (const auto& [id, host] : hosts) {
      if (!names.insert(host->name).second) return false;
      for (const MacAddress& mac : host->macs) {
        if (!macs.insert(mac).second) return false;
      }
    }
    return true;
  }
};

TEST(ApplyTest, AgreesWithANaiveSnapshotOverRandomChanges) {
  constexpr int kIds = 12;
  constexpr int kNames = 12;
  constexpr int kMacs = 24;
  std::mt19937 random(9);
  std::shared_ptr<const Snapshot> snapshot = Snapshot::Empty(RevisionOf(0));
  NaiveSnapshot naive;
  int accepted = 0;
  int refused = 0;
  for (int step = 0; step < 4000; ++step) {
    Change change = StepAfter(*snapshot);
    NaiveSnapshot next = naive;
    std::set<int64_t> touched;
    for (size_t count = random() % 3; count > 0; --count) {
      const int64_t id = 1 + random() % kIds;
      change.deleted_hosts.push_back(HostId{id});
      touched.insert(id);
      next.hosts.erase(id);
    }
    for (size_t count = random() % 4; count > 0; --count) {
      const int64_t id = 1 + random() % kIds;
      if (!touched.insert(id).second) continue;
      std::set<MacAddress> macs;
      for (size_t mac_count = 1 + random() % 2; mac_count > 0; --mac_count) {
        macs.insert(MacOf(random() % kMacs));
      }
      const auto host =
          MakeHost(id, absl::StrCat("h", random() % kNames), {macs.begin(), macs.end()}, step);
      change.hosts.push_back(host);
      next.hosts[id] = host;
    }

    const absl::StatusOr<std::shared_ptr<const Snapshot>> after = Apply(*snapshot, change);
    ASSERT_EQ(after.ok(), next.IsValid()) << after.status();
    if (!after.ok()) {
      ++refused;
    } else {
      ++accepted;
      // What was not touched is the same object.
      for (const auto& [id, host] : naive.hosts) {
        if (touched.count(id) == 0) {
          ASSERT_EQ((*after)->FindHost(HostId{id}), host);
        }
      }
      snapshot = *after;
      naive = std::move(next);
    }
    // Right after a refusal too: it must not have changed anything.
    ASSERT_EQ(snapshot->host_count(), naive.hosts.size());
    for (int64_t id = 1; id <= kIds; ++id) {
      const auto found = naive.hosts.find(id);
      ASSERT_EQ(snapshot->FindHost(HostId{id}),
                found == naive.hosts.end() ? nullptr : found->second);
    }
    for (int i = 0; i < kMacs; ++i) {
      ASSERT_EQ(snapshot->FindHost(MacOf(i)), naive.Find(MacOf(i)));
    }
    for (int i = 0; i < kNames; ++i) {
      const HostName name = NameOf(absl::StrCat("h", i));
      ASSERT_EQ(snapshot->FindHost(name), naive.Find(name));
    }
  }
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 500);
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

std::shared_ptr<const Group> MakeGroup(absl::string_view name, int32_t priority) {
  return std::make_shared<const Group>(Group{.name = GroupName::Parse(name).value(),
                                             .selector = Selector::Parse("rack=r1").value(),
                                             .priority = priority});
}

std::string GroupsOf(const Snapshot& snapshot) {
  std::string names;
  for (const auto& group : snapshot.groups()) {
    EXPECT_EQ(snapshot.FindGroup(group->name), group);
    absl::StrAppend(&names, group->name.text(), " ");
  }
  return names;
}

TEST(ApplyTest, GroupsStayInTheOrderInWhichTheyWin) {
  const auto before =
      Snapshot::Create(RevisionOf(1), Settings(), {}, {}, {},
                       {MakeGroup("c", 5), MakeGroup("a", 1), MakeGroup("b", 5), MakeGroup("d", 9)})
          .value();
  EXPECT_EQ(GroupsOf(*before), "d b c a ");
  Change change = StepAfter(*before);
  change.deleted_groups = {GroupName::Parse("b").value(), GroupName::Parse("gone").value()};
  change.groups = {MakeGroup("d", 0), MakeGroup("new", 5), MakeGroup("a", 7)};
  const auto after = Apply(*before, change).value();
  EXPECT_EQ(GroupsOf(*after), "a c new d ");
  EXPECT_EQ(after->FindGroup(GroupName::Parse("b").value()), nullptr);
  EXPECT_EQ(GroupsOf(*before), "d b c a ");
  EXPECT_THAT(Snapshot::Create(RevisionOf(1), Settings(), {}, {}, {},
                               {MakeGroup("g", 1), MakeGroup("h", 2), MakeGroup("g", 3)}),
              StatusIs(absl::StatusCode::kInvalidArgument, "two groups share the name g"));
}

std::set<int64_t> LockedOf(const Snapshot& snapshot) {
  std::set<int64_t> ids;
  snapshot.ForEachLockedHost([&](const std::shared_ptr<const Host>& host) {
    EXPECT_TRUE(host->locked);
    EXPECT_EQ(snapshot.FindHost(host->id), host);
    ids.insert(static_cast<int64_t>(host->id));
  });
  return ids;
}

TEST(ApplyTest, TheLockedHostsAreKnownWhateverChanges) {
  const auto locked = [](const std::shared_ptr<const Host>& host) {
    Host changed = *host;
    changed.locked = true;
    return std::make_shared<const Host>(std::move(changed));
  };
  const auto next = [&](const std::shared_ptr<const Host>& host) {
    Host changed = *locked(host);
    changed.next = NextBoot{.distro = Distro::Local(), .token = 7};
    return std::make_shared<const Host>(std::move(changed));
  };
  const auto first =
      Snapshot::Create(RevisionOf(1), Settings(), {},
                       {MakeHost(1, "a", {MacOf(1)}), locked(MakeHost(2, "b", {MacOf(2)})),
                        next(MakeHost(3, "c", {MacOf(3)}))})
          .value();
  EXPECT_EQ(LockedOf(*first), (std::set<int64_t>{2, 3}));
  EXPECT_EQ(LockedOf(*WithoutNextBoots(first, {UsedNextBoot{HostId{3}, 7}})),
            (std::set<int64_t>{2, 3}));
  Change change = StepAfter(*first);
  change.hosts = {locked(MakeHost(1, "a", {MacOf(1)})), MakeHost(2, "b", {MacOf(2)})};
  change.deleted_hosts = {HostId{3}};
  const auto second = Apply(*first, change).value();
  EXPECT_EQ(LockedOf(*second), (std::set<int64_t>{1}));
  EXPECT_EQ(LockedOf(*first), (std::set<int64_t>{2, 3}));
}

}  // namespace
}  // namespace autopxe
