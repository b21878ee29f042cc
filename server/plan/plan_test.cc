#include "server/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST_F(PlanTest, AssigningToAnUnknownMacCreatesTheHost) {
  SetUpProfiles();
  const Plan plan = Accepted({AssignTo(kMac1, kOverlayfs)});
  ASSERT_THAT(plan.change.hosts, SizeIs(1));
  EXPECT_EQ(*plan.change.hosts[0], (Host{.id = HostId{1},
                                         .name = NameByMac(Mac(kMac1)),
                                         .macs = {Mac(kMac1)},
                                         .distro = D(kOverlayfs),
                                         .etag = 2}));
  EXPECT_EQ(plan.change.base, snapshot_->revision().id);
  EXPECT_EQ(plan.change.revision.id.number, 2);
  EXPECT_THAT(plan.differences, ElementsAre(Difference{"host", kMac1, "macs", "", kMac1},
                                            Difference{"host", kMac1, "distro", "", kOverlayfs}));
  EXPECT_THAT(plan.warnings, IsEmpty());
}

// Case 32.
TEST_F(PlanTest, EverySpellingOfAMacIsTheSameHost) {
  SetUpProfiles();
  Commit({AssignTo("52:54:00:00:00:0a", kOverlayfs)});
  for (const char* spelling : {"52:54:00:00:00:0A", "52-54-00-00-00-0a", "52540000000a",
                               "52540000000A", "5254.0000.000a"}) {
    const Plan plan = Accepted({AssignTo(spelling, kNfsrw)});
    ASSERT_THAT(plan.change.hosts, SizeIs(1)) << spelling;
    EXPECT_EQ(plan.change.hosts[0]->id, HostId{1}) << spelling;
  }
}

TEST_F(PlanTest, AnUnknownNameIsRefusedWithASuggestion) {
  SetUpProfiles();
  Commit({Create("web01", {Mac(kMac1)}), Create("db", {Mac(kMac2)})});
  for (const Mutation& mutation :
       {Mutation(AssignTo("wbe01", kOverlayfs)), Mutation(Unassign{Ref("wbe01")}),
        Mutation(DeleteHost{Ref("wbe01")})}) {
    const Refusal refusal = Refused({mutation});
    EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
    EXPECT_EQ(refusal.message, "host \"wbe01\": no such host; did you mean \"web01\"?");
    ASSERT_THAT(refusal.problems, SizeIs(1));
    EXPECT_EQ(refusal.problems[0].reason, Reason::kHostUnknown);
    EXPECT_EQ(refusal.problems[0].mutation, 0);
    EXPECT_EQ(refusal.problems[0].field, "host");
    EXPECT_EQ(refusal.problems[0].value, "wbe01");
    EXPECT_THAT(refusal.problems[0].suggestions, testing::Contains("web01"));
  }
}

TEST_F(PlanTest, AnUnknownMacIsNotUnassignedOrDeleted) {
  for (const Mutation& mutation :
       {Mutation(Unassign{Ref(kMac1)}), Mutation(DeleteHost{Ref(kMac1)})}) {
    const Refusal refusal = Refused({mutation});
    EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
    EXPECT_EQ(refusal.message, "mac \"52:54:00:00:00:01\": no such host");
  }
}

TEST_F(PlanTest, ADistroThatNoAgentOffersIsRefusedWithASuggestion) {
  SetUpProfiles();
  const struct {
    const char* distro;
    Reason reason;
    const char* suggestion;
  } cases[] = {
      {"debain/bookworm/latest/overlayfs", Reason::kDistroNotOffered, kOverlayfs},
      {"debian/bokworm/latest/overlayfs", Reason::kDistroNotOffered, kOverlayfs},
      {"debian/bookworm/lates/overlayfs", Reason::kDistroNotOffered, kOverlayfs},
      {"debian/bookworm/6.1.0-52-amd64/nfsrw", Reason::kDistroNotOffered,
       "debian/bookworm/6.1.0-25-amd64/nfsrw"},
      {"debian/bookworm/latest/overlayf", Reason::kProfileUnknown, kOverlayfs},
      {"debain/bookworm/latest/overlayf", Reason::kProfileUnknown, kOverlayfs},
  };
  for (const auto& c : cases) {
    const Refusal refusal = Refused({AssignTo(kMac1, c.distro)});
    EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
    ASSERT_THAT(refusal.problems, SizeIs(1));
    EXPECT_EQ(refusal.problems[0].reason, c.reason) << c.distro;
    EXPECT_EQ(refusal.problems[0].field, "distro");
    EXPECT_EQ(refusal.problems[0].value, c.distro);
    ASSERT_FALSE(refusal.problems[0].suggestions.empty()) << c.distro;
    EXPECT_EQ(refusal.problems[0].suggestions[0], c.suggestion);
    EXPECT_THAT(refusal.message, AllOf(HasSubstr(c.distro), HasSubstr(c.suggestion)));
  }
}

TEST_F(PlanTest, WithoutAnyCatalogTheRefusalSaysSo) {
  SetUpProfiles();
  catalogs_.clear();
  EXPECT_THAT(Refused({AssignTo(kMac1, kOverlayfs)}).message,
              HasSubstr("no agent has reported yet what it offers"));
  catalogs_ = {{*AgentId::Parse("empty"), std::make_shared<Catalog>()}};
  EXPECT_THAT(Refused({AssignTo(kMac1, kOverlayfs)}).message,
              HasSubstr("no agent has reported yet what it offers"));
}

TEST_F(PlanTest, WithoutAnyProfileTheRefusalSaysSo) {
  const Refusal refusal = Refused({AssignTo(kMac1, kOverlayfs)});
  EXPECT_EQ(refusal.problems[0].reason, Reason::kProfileUnknown);
  EXPECT_THAT(refusal.message, HasSubstr("set a profile first"));
}

TEST_F(PlanTest, ADistroIsOfferedWhenOneOfTheAgentsHasIt) {
  SetUpProfiles();
  Catalogs other = CatalogsOf({{.name = "sid", .alias_of = "", .kernels = {Kernel("latest")}}});
  catalogs_[*AgentId::Parse("other")] = other.begin()->second;
  Accepted({AssignTo(kMac1, "debian/sid/latest/nfsrw"), AssignTo(kMac2, kOverlayfs)});
}

TEST_F(PlanTest, AllowMissingWarnsOnceInsteadOfRefusing) {
  catalogs_.clear();
  const Plan plan =
      Accepted({AssignTo(kMac1, kOverlayfs, true), AssignTo(kMac2, kOverlayfs, true),
                SetProfile{P("overlayfs"), T("quiet")}, AssignTo(kMac3, kOverlayfs, true)});
  EXPECT_THAT(plan.change.hosts, SizeIs(3));
  EXPECT_THAT(
      plan.warnings,
      ElementsAre(
          "distro \"debian/bookworm/latest/overlayfs\": there is no profile \"overlayfs\" now",
          "distro \"debian/bookworm/latest/overlayfs\": no agent offers it now"));
}

TEST_F(PlanTest, BuiltInDistrosNeedNoAgentAndNoProfile) {
  catalogs_.clear();
  for (const char* distro : {"local", "menu", "wait", "ignore"}) {
    UpdateSettings update;
    update.default_distro.emplace(D(distro));
    update.unknown_hosts.emplace(D(distro));
    const Plan plan = Accepted({AssignTo(kMac1, distro), update});
    EXPECT_EQ(plan.change.settings->default_distro, D(distro));
    EXPECT_EQ(plan.change.settings->unknown_hosts, D(distro));
  }
}

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

TEST_F(PlanTest, HostsDoNotShareNamesOrMacs) {
  Commit({Create("web01", {Mac(kMac1)})});
  const struct {
    CreateHost create;
    Reason reason;
    const char* field;
    const char* message;
  } cases[] = {
      {Create("web01", {Mac(kMac2)}), Reason::kHostExists, "name",
       "host \"web01\": it exists already"},
      {Create("web02", {Mac(kMac1), Mac(kMac2)}), Reason::kHostExists, "macs",
       "mac \"52:54:00:00:00:01\": host \"web01\" has it already"},
      {Create(kMac3, {Mac(kMac2)}), Reason::kMalformed, "name",
       "host \"52:54:00:00:00:03\": its name is a MAC that is none of its own"},
      {Create("web02", {}), Reason::kMalformed, "macs",
       "host \"web02\": expected one MAC at least"},
      {Create("web02", {Mac(kMac2), Mac(kMac2)}), Reason::kMalformed, "macs",
       "host \"web02\": expected MACs in ascending order without repeats"},
  };
  for (const auto& c : cases) {
    const Refusal refusal = Refused({c.create});
    ASSERT_THAT(refusal.problems, SizeIs(1)) << c.message;
    EXPECT_EQ(refusal.problems[0].reason, c.reason);
    EXPECT_EQ(refusal.problems[0].field, c.field);
    EXPECT_EQ(refusal.message, c.message);
  }
}

TEST_F(PlanTest, AHostThatIsDeletedAndMadeAgainIsAnother) {
  SetUpProfiles();
  Commit({Create("web01", {Mac(kMac1)}), AssignTo("web01", kOverlayfs)});
  const Plan plan = Commit({DeleteHost{Ref("web01")}, Create("web01", {Mac(kMac1)})});
  EXPECT_THAT(plan.change.deleted_hosts, ElementsAre(HostId{1}));
  ASSERT_THAT(plan.change.hosts, SizeIs(1));
  EXPECT_EQ(plan.change.hosts[0]->id, HostId{2});
  EXPECT_THAT(plan.differences, ElementsAre(Difference{"host", "web01", "id", "1", "2"},
                                            Difference{"host", "web01", "distro", kOverlayfs, ""}));
}

TEST_F(PlanTest, DeletingAHostTellsWhatIsLost) {
  SetUpProfiles();
  Commit({Create("web01", {Mac(kMac1), Mac(kMac2)}), AssignTo("web01", kOverlayfs)});
  const Plan plan = Accepted({DeleteHost{Ref(kMac2)}});
  EXPECT_THAT(plan.differences,
              ElementsAre(Difference{"host", "web01", "macs", absl::StrCat(kMac1, ", ", kMac2), ""},
                          Difference{"host", "web01", "distro", kOverlayfs, ""}));
}

TEST_F(PlanTest, AProfileInUseIsNotDeleted) {
  SetUpProfiles();
  const auto is_in_use = [&](const std::string& users) {
    const Refusal refusal = Refused({DeleteProfile{P("overlayfs")}});
    EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(refusal.problems[0].reason, Reason::kProfileInUse);
    EXPECT_EQ(refusal.message, absl::StrCat("profile \"overlayfs\": ", users,
                                            " with it; assign another distro first"));
  };
  const auto with_settings = [&](absl::optional<Distro> default_distro,
                                 absl::optional<Distro> unknown_hosts) {
    UpdateSettings update;
    update.default_distro = default_distro;
    update.unknown_hosts = unknown_hosts;
    Commit({update});
  };
  Commit({Create("web01", {Mac(kMac1)}), AssignTo("web01", kOverlayfs)});
  is_in_use("host \"web01\" boots");
  Commit({AssignTo(kMac2, kOverlayfs), AssignTo(kMac3, kOverlayfs)});
  is_in_use("host \"web01\" and 2 more boot");
  Commit({Unassign{Ref(kMac1)}, Unassign{Ref(kMac2)}, Unassign{Ref(kMac3)}});
  with_settings(D(kOverlayfs), absl::nullopt);
  is_in_use("the setting default-distro boots");
  with_settings(absl::nullopt, D(kOverlayfs));
  is_in_use("the setting unknown-hosts boots");
  with_settings(absl::nullopt, absl::nullopt);
  UpdateAgentSettings update = UpdateOf("lab");
  update.default_distro.emplace(D(kOverlayfs));
  Commit({update});
  is_in_use("the setting default-distro of agent \"lab\" boots");
  update.default_distro.emplace();
  Accepted({update, DeleteProfile{P("overlayfs")}});
  Commit({update});
  Accepted({DeleteProfile{P("overlayfs")}});
}

TEST_F(PlanTest, AnUnknownProfileIsNotDeleted) {
  SetUpProfiles();
  const Refusal refusal = Refused({DeleteProfile{P("overlyfs")}});
  EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
  EXPECT_EQ(refusal.message, "profile \"overlyfs\": no such profile; did you mean \"overlayfs\"?");
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
  for (int round = 0; round < 200; ++round) {
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
