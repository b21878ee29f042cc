#include "server/plan/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
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
  EXPECT_THAT(plan.differences, ElementsAre(Difference{"host", kMac1, "macs", {}, kMac1},
                                            Difference{"host", kMac1, "distro", {}, kOverlayfs}));
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
    EXPECT_EQ(refusal.message,
              "mac \"52:54:00:00:00:01\": no such host; see autopxectl host list, or autopxectl "
              "host create");
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
      ElementsAre("distro \"debian/bookworm/latest/overlayfs\": no agent offers it now for host "
                  "\"52:54:00:00:00:03\"",
                  "distro \"debian/bookworm/latest/overlayfs\": there is no profile \"overlayfs\" "
                  "now for 2 "
                  "hosts: 52:54:00:00:00:01,52:54:00:00:00:02"));
}

TEST_F(PlanTest, AMissingDistroIsWarnedOfWithItsHostsAndWhatIsMeant) {
  SetUpProfiles();
  std::vector<Mutation> mutations;
  for (int i = 10; i < 50; ++i) {
    const std::string name = absl::StrCat("cn", i);
    mutations.push_back(Create(name, {MacAddress::FromNumber(0x525400000000u + unsigned(i))}));
    mutations.push_back(AssignTo(name, "debain/bookworm/latest/nfsrw", true));
  }
  // However many hosts the first typo is for, something is suggested for the next one.
  mutations.push_back(AssignTo("cn49", "debian/bookwrm/latest/nfsrw", true));
  mutations.push_back(AssignTo("cn48", "xyzzy/1/2/nfsrw", true));
  EXPECT_THAT(
      Accepted(mutations).warnings,
      ElementsAre("distro \"debain/bookworm/latest/nfsrw\": no agent offers it now for 40 hosts: "
                  "cn[10-49]; did you mean \"debian/bookworm/latest/nfsrw\"?",
                  "distro \"debian/bookwrm/latest/nfsrw\": no agent offers it now for host "
                  "\"cn49\"; did you mean \"debian/bookworm/latest/nfsrw\"?",
                  "distro \"xyzzy/1/2/nfsrw\": no agent offers it now for host \"cn48\""));
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
                                            Difference{"host", "web01", "distro", kOverlayfs, {}}));
}

TEST_F(PlanTest, DeletingAHostTellsWhatIsLost) {
  SetUpProfiles();
  Commit({Create("web01", {Mac(kMac1), Mac(kMac2)}), AssignTo("web01", kOverlayfs)});
  const Plan plan = Accepted({DeleteHost{Ref(kMac2)}});
  EXPECT_THAT(plan.differences,
              ElementsAre(Difference{"host", "web01", "macs", absl::StrCat(kMac1, ", ", kMac2), {}},
                          Difference{"host", "web01", "distro", kOverlayfs, {}}));
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
  EXPECT_EQ(Refused({DeleteProfile{P("zz")}}).message,
            "profile \"zz\": no such profile; see autopxectl profile list");
  EXPECT_EQ(Refused({DeleteGroup{*GroupName::Parse("zz")}}).message,
            "group \"zz\": no such group; see autopxectl group list");
}

}  // namespace
}  // namespace autopxe::server
