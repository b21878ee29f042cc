// Many mutations in one batch, and what is expected of the state they meet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "common/status/test_rounds.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(PlanTest, WhatIsSoAlreadyMakesNoChange) {
  SetUpProfiles();
  UpdateSettings update;
  update.menu_timeout = absl::Seconds(3);
  Commit({AssignTo(kMac1, kOverlayfs), update});
  const Plan plan = Accepted({
      AssignTo(kMac1, kOverlayfs),
      update,
      SetProfile{P("nfsrw"), T("root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} rw")},
      // There and back again.
      Unassign{Ref(kMac1)},
      AssignTo(kMac1, kOverlayfs),
      // Here and gone.
      Create("brief", {Mac(kMac2)}),
      DeleteHost{Ref("brief")},
  });
  EXPECT_TRUE(plan.change.empty());
  EXPECT_THAT(plan.differences, IsEmpty());
}

TEST_F(PlanTest, EachMutationSeesWhatThoseBeforeItDid) {
  SetUpProfiles();
  const Plan plan = Accepted({Create("web01", {Mac(kMac1)}), AssignTo("web01", kOverlayfs),
                              AssignTo(kMac1, kNfsrw), DeleteProfile{P("overlayfs")}});
  ASSERT_THAT(plan.change.hosts, SizeIs(1));
  EXPECT_EQ(plan.change.hosts[0]->distro, D(kNfsrw));
  EXPECT_THAT(plan.change.deleted_profiles, ElementsAre(P("overlayfs")));
  EXPECT_THAT(Refused({DeleteProfile{P("overlayfs")}, AssignTo(kMac1, kOverlayfs)}).problems,
              ElementsAre(AllOf(Field(&Problem::reason, Reason::kProfileUnknown),
                                Field(&Problem::mutation, 1))));
}

TEST_F(PlanTest, EveryMutationThatCantBeMadeIsTold) {
  SetUpProfiles();
  Commit({Create("web01", {Mac(kMac1)})});
  const Refusal refusal =
      Refused({Create("web01", {Mac(kMac2)}), AssignTo(kMac3, kOverlayfs), DeleteProfile{P("none")},
               AssignTo("nobody", "debian/none/latest/overlayfs")});
  EXPECT_EQ(refusal.code, absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(refusal.message, "host \"web01\": it exists already (and 3 more)");
  std::vector<std::pair<int, Reason>> found;
  for (const Problem& problem : refusal.problems)
    found.push_back({problem.mutation, problem.reason});
  EXPECT_THAT(
      found,
      ElementsAre(std::pair(0, Reason::kHostExists), std::pair(2, Reason::kProfileUnknown),
                  std::pair(3, Reason::kDistroNotOffered), std::pair(3, Reason::kHostUnknown)));
}

TEST_F(PlanTest, AnEtagThatIsNotCurrentAborts) {
  SetUpProfiles();                          // Revision 1.
  Commit({Create("web01", {Mac(kMac1)})});  // Revision 2.
  UpdateAgentSettings update = UpdateOf("lab");
  update.default_distro.emplace(Distro::Wait());
  Commit({update});  // Revision 3.
  const HostReference host = Ref("web01");
  const ProfileName profile = P("nfsrw");
  Accepted({Unassign{host}}, {{.resource = host, .etag = 2},
                              {.resource = profile, .etag = 1},
                              {.resource = std::monostate(), .etag = 1},
                              {.resource = Ref("nobody"), .etag = 0},
                              {.resource = P("none"), .etag = 0},
                              {.resource = *AgentId::Parse("lab"), .etag = 3},
                              {.resource = *AgentId::Parse("other"), .etag = 0}});
  const struct {
    ExpectedEtag expected;
    const char* message;
  } cases[] = {
      {{.resource = host, .etag = 1},
       "host \"web01\": expected etag 1, but it is changed by revision 2; read it again and retry"},
      {{.resource = host, .etag = 0},
       "host \"web01\": expected etag 0, but it is there already, by revision 2; read it again and "
       "retry"},
      {{.resource = Ref("nobody"), .etag = 3},
       "host \"nobody\": expected etag 3, but it is not there; read it again and retry"},
      {{.resource = profile, .etag = 7},
       "profile \"nfsrw\": expected etag 7, but it is changed by revision 1; read it again and "
       "retry"},
      {{.resource = std::monostate(), .etag = 7},
       "settings: expected etag 7, but it is changed by revision 1; read it again and retry"},
      {{.resource = *AgentId::Parse("lab"), .etag = 1},
       "settings of agent \"lab\": expected etag 1, but it is changed by revision 3; read it again "
       "and retry"},
      {{.resource = *AgentId::Parse("other"), .etag = 1},
       "settings of agent \"other\": expected etag 1, but it is not there; read it again and "
       "retry"},
  };
  for (const auto& c : cases) {
    const Refusal refusal = Refused({Unassign{Ref("nobody")}}, {c.expected});
    EXPECT_EQ(refusal.code, absl::StatusCode::kAborted);
    EXPECT_EQ(refusal.message, c.message);
    ASSERT_THAT(refusal.problems, SizeIs(1));
    EXPECT_EQ(refusal.problems[0].reason, Reason::kEtagMismatch);
    EXPECT_EQ(refusal.problems[0].mutation, -1);
  }
}

TEST_F(PlanTest, ABatchThatIsEmptyOrTooLargeIsRefused) {
  EXPECT_EQ(Refused({}).code, absl::StatusCode::kInvalidArgument);
  const Refusal refusal = Refused(std::vector<Mutation>(100'001, SetProfile{P("p"), T("")}));
  EXPECT_EQ(refusal.problems[0].reason, Reason::kBatchInvalid);
  EXPECT_THAT(refusal.message, HasSubstr("100001 changes: expected 100000 at most"));
}

TEST_F(PlanTest, DifferencesComeInTheOrderOfNames) {
  SetUpProfiles();
  UpdateSettings update;
  update.menu_timeout = absl::Seconds(3);
  const auto agent = [](absl::string_view id) {
    UpdateAgentSettings of_agent = UpdateOf(id);
    of_agent.default_distro.emplace(Distro::Wait());
    return of_agent;
  };
  std::vector<std::string> order;
  for (const Difference& difference :
       Accepted({Create("zeta", {Mac(kMac1)}), SetProfile{P("z"), T("")},
                 Create("alpha", {Mac(kMac2)}), DeleteProfile{P("nfsrw")}, agent("rack2"),
                 agent("lab"), update})
           .differences) {
    order.push_back(absl::StrCat(difference.kind, " ", difference.name));
  }
  EXPECT_THAT(order, ElementsAre("settings ", "agent lab", "agent rack2", "profile nfsrw",
                                 "profile z", "host alpha", "host zeta"));
}

// A plan by steps of one mutation each leads to the same configuration as one plan of them all.
TEST_F(PlanTest, ABatchComesToTheSameAsItsMutationsOneByOne) {
  std::mt19937 random(20240611);
  const auto pick = [&](int below) { return static_cast<int>(random() % below); };
  SetUpProfiles();
  const auto start = snapshot_;
  for (int round = 0; round < TestRounds(200); ++round) {
    snapshot_ = start;
    next_host_id_ = 1;
    std::vector<Mutation> batch;
    for (int i = 0; i < 40; ++i) {
      const MacAddress mac = MacAddress::FromNumber(0x525400000000 + pick(6));
      const std::string name = absl::StrCat("h", pick(4));
      const HostReference host = pick(2) == 0 ? HostReference(mac) : Ref(name);
      Mutation mutation = Unassign{host};
      switch (pick(6)) {
        case 4: {
          UpdateAgentSettings update = UpdateOf(absl::StrCat("a", pick(2)));
          if (pick(2) == 0) {
            update.set_variables = {{V("v"), Value(absl::StrCat(pick(2)))}};
          } else {
            update.unset_variables = {V("v")};
          }
          mutation = update;
          break;
        }
        case 0:
          mutation = Assign{.host = host, .distro = D(pick(2) == 0 ? kOverlayfs : "wait")};
          break;
        case 1:
          mutation = Create(name, {mac});
          break;
        case 2:
          mutation = DeleteHost{host};
          break;
        case 3:
          mutation = SetProfile{P(absl::StrCat("p", pick(3))), T(absl::StrCat(pick(2)))};
          break;
      }
      auto outcome = Build({mutation});
      if (std::holds_alternative<Refusal>(outcome)) continue;
      Commit({mutation});
      batch.push_back(mutation);
    }
    const auto one_by_one = snapshot_;
    snapshot_ = start;
    next_host_id_ = 1;
    Commit(batch);
    const auto strip = [](const Snapshot& snapshot) {
      std::vector<std::tuple<std::string, std::vector<MacAddress>, absl::optional<Distro>>> hosts;
      for (const auto& host : snapshot.HostsByName()) {
        hosts.emplace_back(host->name.text(), host->macs, host->distro);
      }
      return hosts;
    };
    ASSERT_EQ(strip(*snapshot_), strip(*one_by_one)) << "round " << round;
    ASSERT_EQ(snapshot_->profiles().size(), one_by_one->profiles().size());
    ASSERT_EQ(snapshot_->agent_settings().size(), one_by_one->agent_settings().size());
    for (const auto& [id, settings] : snapshot_->agent_settings()) {
      ASSERT_EQ(settings.variables, one_by_one->FindAgentSettings(id)->variables);
    }
    ASSERT_EQ(snapshot_->FindHost(Mac("52:54:00:00:00:00")) == nullptr,
              one_by_one->FindHost(Mac("52:54:00:00:00:00")) == nullptr);
  }
}

TEST_F(PlanTest, TheLargestBatchIsPlanned) {
  SetUpProfiles();
  std::vector<Mutation> mutations;
  for (int i = 0; i < 100'000; ++i) {
    mutations.push_back(Assign{.host = MacAddress::FromNumber(0x020000000000 + i),
                               .distro = D(i % 2 == 0 ? kOverlayfs : kNfsrw)});
  }
  EXPECT_THAT(Accepted(std::move(mutations)).change.hosts, SizeIs(100'000));
  // A refusal of many is cheap too: suggestions are made for the first few only.
  std::vector<Mutation> wrong;
  for (int i = 0; i < 10'000; ++i) {
    wrong.push_back(Assign{.host = *HostName::Parse(absl::StrCat("nobody-", i)),
                           .distro = D(absl::StrCat("debian/none-", i, "/latest/overlayfs"))});
  }
  EXPECT_THAT(Refused(std::move(wrong)).problems, SizeIs(20'000));
}

}  // namespace
}  // namespace autopxe::server
