#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/plan/plan.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// "cn01" is locked, of rack r1 and without an assignment; "cn02" is the same but not locked.
class LockTest : public PlanTest {
 protected:
  LockTest() {
    SetUpProfiles();
    UpdateHost first{.host = Ref("cn01")};
    first.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse("r1")}};
    UpdateHost second = first;
    second.host = Ref("cn02");
    first.locked = true;
    UpdateSettings update;
    update.default_distro = absl::optional<Distro>(D(kOverlayfs));
    Commit({Create("cn01", {Mac(kMac1)}), Create("cn02", {Mac(kMac2)}), first, second, update});
  }

  void ExpectLocked(std::vector<Mutation> mutations, const std::string& words) {
    const Refusal refusal = Refused(mutations);
    EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(refusal.problems[0].reason, Reason::kHostLocked);
    EXPECT_EQ(refusal.problems[0].value, "cn01");
    EXPECT_THAT(refusal.message, HasSubstr(words));
    EXPECT_THAT(refusal.message, HasSubstr("unlock it, or add --force"));
    const auto forced =
        BuildPlan(*snapshot_, catalogs_, {.mutations = std::move(mutations), .force = true},
                  HostId{next_host_id_}, now_);
    EXPECT_TRUE(std::holds_alternative<Plan>(forced));
  }

  static SetGroup Group(absl::string_view selector, absl::string_view distro) {
    SetGroup group{.name = *GroupName::Parse("g"), .selector = *Selector::Parse(selector)};
    group.distro = absl::optional<Distro>(D(distro));
    return group;
  }
};

TEST_F(LockTest, WhateverWouldChangeWhatALockedHostBootsIsRefused) {
  ExpectLocked({AssignTo("cn01", kNfsrw)}, "would boot debian/bookworm/latest/nfsrw");
  ExpectLocked({Assign{.host = Ref("cn01"), .distro = D(kNfsrw), .term = NextBootOnly()}},
               "would boot debian/bookworm/latest/nfsrw");
  ExpectLocked({Assign{.host = Ref("cn01"), .distro = D(kNfsrw), .term = absl::Hours(1)}},
               "would boot debian/bookworm/latest/nfsrw");
  ExpectLocked({DeleteHost{Ref("cn01")}}, "it is locked");
  ExpectLocked({Group("rack=r1", kNfsrw)}, "would boot debian/bookworm/latest/nfsrw");
  UpdateSettings update;
  update.default_distro = absl::optional<Distro>(D("wait"));
  ExpectLocked({update}, "would boot wait");
  UpdateHost relabelled{.host = Ref("cn01")};
  relabelled.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse("r2")}};
  ExpectLocked({Group("rack=r2", kNfsrw), relabelled}, "would boot debian/bookworm/latest/nfsrw");
}

TEST_F(LockTest, AnAssignmentToWhatItBootsAnywayIsAChangeOfItsAssignments) {
  ExpectLocked({AssignTo("cn01", kOverlayfs)}, "its assignments would change");
}

TEST_F(LockTest, AllElseOfALockedHostMayChange) {
  UpdateHost update{.host = Ref("cn01")};
  update.name = *HostName::Parse("cn03");
  update.add_macs = {Mac(kMac3)};
  update.note = *Note::Parse("mine");
  update.set_variables = {{V("console"), Value("ttyS1")}};
  Commit({update, AssignTo("cn02", kNfsrw), Group("rack=r2", kNfsrw)});
}

// What a distro is made of is its own affair, as a profile's template is: a lock says which distro.
TEST_F(LockTest, DeclaringAnewWhatALockedHostBootsIsNoBreachOfItsLock) {
  const DistroName name = *DistroName::Parse("netboot");
  const auto declare = [&](const char* url) {
    return DeclareDistro{{name, DeclaredChain{*BootFile::Parse(url)}}};
  };
  Commit({declare("http://x/"), UpdateHost{.host = Ref("cn01"), .locked = false},
          AssignTo("cn01", "netboot")});
  Commit({UpdateHost{.host = Ref("cn01"), .locked = true}});
  Commit({declare("http://y/")});
  ExpectLocked({AssignTo("cn01", kNfsrw)}, "it is locked to netboot and would boot debian");
}

TEST_F(LockTest, WhoUnlocksItInTheSameBatchMayChangeIt) {
  Commit({AssignTo("cn01", kNfsrw), UpdateHost{.host = Ref("cn01"), .locked = false}});
}

TEST_F(LockTest, LockingAndAssigningInOneBatchLocksWhatWasAssigned) {
  Commit({UpdateHost{.host = Ref("cn02"), .locked = true}, AssignTo("cn02", kNfsrw)});
  EXPECT_EQ(snapshot_->FindHost(Ref("cn02"))->distro, D(kNfsrw));
}

TEST_F(LockTest, AnAgentsUseOfANextBootIsNoBreachOfALock) {
  Commit({UpdateHost{.host = Ref("cn01"), .locked = false},
          Assign{.host = Ref("cn01"), .distro = D("local"), .term = NextBootOnly()}});
  Commit({UpdateHost{.host = Ref("cn01"), .locked = true}});
  const auto host = snapshot_->FindHost(Ref("cn01"));
  EXPECT_THAT(Commit({UseNextBoot{host->id, host->next->token}}).differences,
              ElementsAre(Difference{"host", "cn01", "next_boot", "local", ""}));
}

TEST_F(LockTest, OfManyLockedHostsTheFirstAreNamed) {
  std::vector<Mutation> mutations;
  for (int i = 0; i < 30; ++i) {
    const std::string name = "n" + std::to_string(100 + i);
    mutations.push_back(Create(name, {MacAddress::FromNumber(0x020000000000u + unsigned(i))}));
    mutations.push_back(UpdateHost{.host = Ref(name), .locked = true});
  }
  Commit(mutations);
  UpdateSettings update;
  update.default_distro = absl::optional<Distro>(D("wait"));
  EXPECT_THAT(Refused({update}).problems, SizeIs(20));
}

}  // namespace
}  // namespace autopxe::server
