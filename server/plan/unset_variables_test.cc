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
              HasSubstr("which none gets of the hosts that boot with it: cn03; set it first"));
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

TEST_F(UnsetVariablesTest, TakingTheVariableAwayIsWarnedOf) {
  Commit({Rack("r1"), Serial(), AssignTo("cn01", kSerial)});
  EXPECT_THAT(Accepted({DeleteGroup{*GroupName::Parse("r1")}}).warnings,
              ElementsAre("profile \"serial\" uses ${tty}, which no variable sets"));
}

}  // namespace
}  // namespace autopxe::server
