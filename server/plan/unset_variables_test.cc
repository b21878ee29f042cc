// Variables that profiles need and that groups or hosts set.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/plan/plan.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kSerial[] = "debian/bookworm/latest/serial";

// Hosts cn01 to cn04; the first two are of rack r1, the others of r2.
class UnsetVariablesTest : public PlanTest {
 protected:
  UnsetVariablesTest() {
    for (int i = 1; i <= 4; ++i) {
      const std::string name = absl::StrCat("cn0", i);
      UpdateHost update{.host = Ref(name)};
      update.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse(i <= 2 ? "r1" : "r2")}};
      Commit({Create(name, {MacAddress::FromNumber(0x525400000000u + unsigned(i))}), update});
    }
  }

  static SetProfile Serial() { return {P("serial"), T("console=${tty}")}; }

  static SetGroup Rack(absl::string_view rack) {
    SetGroup group{.name = *GroupName::Parse(rack),
                   .selector = *Selector::Parse(absl::StrCat("rack=", rack))};
    group.set_variables = {{V("tty"), Value("ttyS0")}};
    return group;
  }

  static UpdateHost Own(absl::string_view host) {
    UpdateHost update{.host = Ref(host)};
    update.set_variables = {{V("tty"), Value("ttyS1")}};
    return update;
  }
};

TEST_F(UnsetVariablesTest, AProfileMaySetBeforeAnybodyBootsWithItWhatSomeHostsGet) {
  EXPECT_EQ(Refused({Serial()}).problems[0].reason, Reason::kVariableUnset);
  const auto some = ElementsAre(
      "profile \"serial\" uses ${tty}, which only some hosts get, by their groups or of their own");
  EXPECT_THAT(Accepted({Serial(), Rack("r1")}).warnings, some);
  EXPECT_THAT(Accepted({Serial(), Own("cn04")}).warnings, some);
  // A group without hosts gives it to nobody.
  EXPECT_EQ(Refused({Serial(), Rack("r3")}).problems[0].reason, Reason::kVariableUnset);
}

TEST_F(UnsetVariablesTest, HostsThatBootWithItAndAllGetItAreNoMatter) {
  EXPECT_THAT(Accepted({Rack("r1"), Own("cn03"), Serial(), AssignTo("cn01", kSerial),
                        AssignTo("cn02", kSerial), AssignTo("cn03", kSerial)})
                  .warnings,
              IsEmpty());
}

TEST_F(UnsetVariablesTest, HostsThatBootWithItAndLackItAreNamed) {
  std::vector<Mutation> mutations = {Rack("r1"), Serial()};
  for (const char* host : {"cn01", "cn02", "cn03", "cn04"}) {
    mutations.push_back(AssignTo(host, kSerial));
  }
  EXPECT_THAT(
      Accepted(mutations).warnings,
      ElementsAre("profile \"serial\" uses ${tty}, which 2 of the 4 hosts that boot with it "
                  "don't get: cn[03-04]"));
}

TEST_F(UnsetVariablesTest, AProfileThatReachesNobodyWhoGetsItIsRefused) {
  const Refusal refusal = Refused({Rack("r1"), AssignTo("cn03", kSerial, true), Serial()});
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal.problems[0].mutation, 2);
  EXPECT_THAT(refusal.message,
              HasSubstr("which the host that boots with it doesn't get: cn03; set it first"));
}

TEST_F(UnsetVariablesTest, HostsBootByGroupsAndByTheDefaultToo) {
  SetGroup group = Rack("r1");
  group.distro = absl::optional<Distro>(D(kSerial));
  EXPECT_THAT(Accepted({Serial(), group}).warnings, IsEmpty());
  UpdateSettings update;
  update.default_distro = absl::optional<Distro>(D(kSerial));
  EXPECT_THAT(Accepted({Serial(), group, update}).warnings,
              ElementsAre(HasSubstr("2 of the 4 hosts that boot with it don't get: cn[03-04]")));
}

TEST_F(UnsetVariablesTest, ForceMakesAWarningOfTheRefusal) {
  const auto outcome = BuildPlan(*snapshot_, catalogs_, {.mutations = {Serial()}, .force = true},
                                 HostId{next_host_id_}, now_);
  ASSERT_TRUE(std::holds_alternative<Plan>(outcome));
  EXPECT_THAT(std::get<Plan>(outcome).warnings,
              ElementsAre("profile \"serial\" uses ${tty}, which no variable sets"));
}

TEST_F(UnsetVariablesTest, TakingTheVariableFromAllThatBootWithItIsRefused) {
  UpdateSettings everybody;
  everybody.set_variables = {{V("tty"), Value("ttyS2")}};
  UpdateSettings nobody;
  nobody.unset_variables = {V("tty")};
  UpdateAgentSettings agent = UpdateOf("lab");
  agent.set_variables = everybody.set_variables;
  UpdateAgentSettings no_agent = UpdateOf("lab");
  no_agent.unset_variables = {V("tty")};
  SetGroup no_group{.name = *GroupName::Parse("r1")};
  no_group.unset_variables = {V("tty")};
  SetGroup elsewhere{.name = *GroupName::Parse("r1"), .selector = *Selector::Parse("rack=r2")};
  UpdateHost not_own{.host = Ref("cn01")};
  not_own.unset_variables = {V("tty")};
  UpdateHost not_own_either{.host = Ref("cn02")};
  not_own_either.unset_variables = {V("tty")};

  const std::shared_ptr<const Snapshot> start = snapshot_;
  const std::string all = "no variable sets; 2 hosts boot with it: cn[01-02]";
  const struct {
    std::vector<Mutation> before;
    std::vector<Mutation> taking;
    std::string field;
    std::string which;
  } cases[] = {
      {{everybody}, {nobody}, "unset_variables", all},
      {{agent}, {no_agent}, "unset_variables", all},
      {{Rack("r1")}, {no_group}, "unset_variables", all},
      {{Rack("r1")}, {DeleteGroup{*GroupName::Parse("r1")}}, "name", all},
      {{Rack("r1")},
       {elsewhere},
       "selector",
       "none gets of the 2 hosts that boot with it: "
       "cn[01-02]"},
      {{Own("cn01"), Own("cn02")}, {not_own, not_own_either}, "unset_variables", all},
      {{everybody, Own("cn04")},
       {nobody},
       "unset_variables",
       "none gets of the 2 hosts that boot with it: cn[01-02]"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.field + " " + c.which);
    snapshot_ = start;
    std::vector<Mutation> before = c.before;
    before.insert(before.end(), {Serial(), AssignTo("cn01", kSerial), AssignTo("cn02", kSerial)});
    Commit(before);
    const Refusal refusal = Refused(c.taking);
    EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(refusal.message,
              absl::StrCat("profile \"serial\" uses ${tty}, which ", c.which,
                           "; set it elsewhere first, or give it a default, ${tty:-VALUE}, or add "
                           "--force"));
    ASSERT_THAT(refusal.problems, SizeIs(1));
    EXPECT_EQ(refusal.problems[0].reason, Reason::kVariableUnset);
    EXPECT_EQ(refusal.problems[0].field, c.field);
    EXPECT_GE(refusal.problems[0].mutation, 0);

    // Whoever sets it elsewhere in the same batch takes nothing away.
    std::vector<Mutation> moved = c.taking;
    moved.insert(moved.end(), {Own("cn01"), Own("cn02")});
    if (c.field != "unset_variables" || c.before.size() == 1) {
      EXPECT_THAT(Accepted(moved).warnings, IsEmpty());
    }
    const auto forced =
        BuildPlan(*snapshot_, catalogs_, {.mutations = c.taking, .force = true}, HostId{9}, now_);
    ASSERT_TRUE(std::holds_alternative<Plan>(forced));
    EXPECT_THAT(std::get<Plan>(forced).warnings, ElementsAre(HasSubstr("cn[01-02]")));
  }
}

TEST_F(UnsetVariablesTest, TakingItFromSomeOrFromNobodyIsWarnedOf) {
  UpdateSettings everybody;
  everybody.set_variables = {{V("tty"), Value("ttyS2")}};
  UpdateSettings nobody;
  nobody.unset_variables = {V("tty")};
  // A host that keeps it.
  Commit({everybody, Serial()});
  EXPECT_THAT(
      Accepted({nobody, AssignTo("cn01", kSerial), AssignTo("cn03", kSerial), Own("cn03")})
          .warnings,
      ElementsAre("profile \"serial\" uses ${tty}, which 1 of the 2 hosts that boot with it "
                  "don't get: cn01"));
  // No host boots with it.
  EXPECT_THAT(Commit({nobody}).warnings,
              ElementsAre("profile \"serial\" uses ${tty}, which no variable sets"));
  // None got it before.
  EXPECT_THAT(Commit({AssignTo("cn01", kSerial)}).warnings, SizeIs(1));
  EXPECT_THAT(Accepted({nobody}).warnings,
              ElementsAre("variable \"tty\": it was not set",
                          "profile \"serial\" uses ${tty}, which no variable sets; a host boots "
                          "with it: cn01"));
}

TEST_F(UnsetVariablesTest, WhatOnlyAnAgentStillSetsIsWarnedOfWithTheHosts) {
  UpdateSettings everybody;
  everybody.set_variables = {{V("tty"), Value("ttyS2")}};
  UpdateAgentSettings agent = UpdateOf("lab");
  agent.set_variables = everybody.set_variables;
  catalogs_.emplace(*AgentId::Parse("rack2"), catalogs_.begin()->second);
  Commit({everybody, agent, Serial(), AssignTo("cn01", kSerial), AssignTo("cn02", kSerial)});
  UpdateSettings nobody;
  nobody.unset_variables = {V("tty")};
  EXPECT_THAT(Accepted({nobody}).warnings,
              ElementsAre("profile \"serial\" uses ${tty}, which only agent \"lab\" sets; 2 hosts "
                          "that boot with it get it nowhere else: cn[01-02]"));
}

}  // namespace
}  // namespace autopxe::server
