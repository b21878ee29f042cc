// What a change makes of a snapshot.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/model/snapshot.h"
#include "common/model/test_snapshot.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

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
