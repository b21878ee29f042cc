// Variables that hosts lack by what is assigned to them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/plan/plan.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

constexpr char kSerial[] = "debian/bookworm/latest/serial";

// Hosts cn01 to cn04, the first two of rack r1, the others of r2; a profile "serial", whose tty
// rack r1's group sets; and "plain", which needs nothing.
class LackedVariablesTest : public PlanTest {
 protected:
  LackedVariablesTest() {
    for (int i = 1; i <= 4; ++i) {
      const std::string name = absl::StrCat("cn0", i);
      UpdateHost update{.host = Ref(name)};
      update.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse(i <= 2 ? "r1" : "r2")}};
      Commit({Create(name, {MacAddress::FromNumber(0x525400000000u + unsigned(i))}), update});
    }
    SetGroup group = Rack("r1");
    group.set_variables = {{V("tty"), Value("ttyS0")}};
    Commit({group, SetProfile{P("serial"), T("console=${tty} a=${always:-1} ip=${ip}")},
            SetProfile{P("plain"), T("quiet")}});
  }

  static SetGroup Rack(absl::string_view rack) {
    return {.name = *GroupName::Parse(rack),
            .selector = *Selector::Parse(absl::StrCat("rack=", rack))};
  }

  static UpdateHost Label(absl::string_view host, absl::string_view rack) {
    UpdateHost update{.host = Ref(host)};
    update.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse(rack)}};
    return update;
  }
};

TEST_F(LackedVariablesTest, AssigningWhatAHostLacksAVariableForIsWarnedOf) {
  EXPECT_THAT(Accepted({AssignTo("cn01", kSerial)}).warnings, IsEmpty());
  EXPECT_THAT(Accepted({AssignTo("cn03", "debian/bookworm/latest/plain")}).warnings, IsEmpty());
  EXPECT_THAT(Accepted({AssignTo("cn03", kSerial)}).warnings,
              ElementsAre("profile \"serial\" uses ${tty}, which a host that boots with it doesn't "
                          "get: cn03"));
  EXPECT_THAT(
      Accepted({AssignTo("cn03", kSerial), AssignTo("cn02", kSerial), AssignTo("cn04", kSerial)})
          .warnings,
      ElementsAre("profile \"serial\" uses ${tty}, which 2 hosts that boot with it don't get: "
                  "cn[03-04]"));
  Assign next = AssignTo("cn03", kSerial);
  next.term = NextBootOnly{};
  EXPECT_THAT(Accepted({next}).warnings, SizeIs(1));
  next.term = absl::Hours(1);
  EXPECT_THAT(Accepted({next}).warnings, SizeIs(1));
}

TEST_F(LackedVariablesTest, WhatWasLackedBeforeIsNotToldAgain) {
  Commit({AssignTo("cn03", kSerial)});
  UpdateHost update{.host = Ref("cn03")};
  update.locked = true;
  EXPECT_THAT(Accepted({update}).warnings, IsEmpty());
  EXPECT_THAT(Accepted({AssignTo("cn03", "debian/trixie/latest/serial")}).warnings, IsEmpty());
}

TEST_F(LackedVariablesTest, AHostThatLosesTheVariableIsWarnedOf) {
  Commit({AssignTo("cn01", kSerial)});
  EXPECT_THAT(Accepted({Label("cn01", "r9")}).warnings, ElementsAre(EndsWith("get: cn01")));
  SetGroup moved = Rack("r1");
  moved.selector = *Selector::Parse("rack=r9");
  EXPECT_THAT(Refused({moved}).message, HasSubstr("a host boots with it: cn01; set it elsewhere"));
  EXPECT_THAT(Accepted({moved, Label("cn02", "r9"), AssignTo("cn02", kSerial)}).warnings,
              ElementsAre(EndsWith("get: cn01")));
  UpdateHost own{.host = Ref("cn03")};
  own.set_variables = {{V("tty"), Value("ttyS1")}};
  Commit({own, AssignTo("cn03", kSerial)});
  UpdateHost unset{.host = Ref("cn03")};
  unset.unset_variables = {V("tty")};
  EXPECT_THAT(Accepted({unset}).warnings, ElementsAre(EndsWith("get: cn03")));
}

TEST_F(LackedVariablesTest, AGroupsOrADefaultsDistroIsLookedAtForAllWhomItReaches) {
  SetGroup group = Rack("r2");
  group.distro = absl::optional<Distro>(D(kSerial));
  EXPECT_THAT(Accepted({group}).warnings,
              ElementsAre(EndsWith("2 hosts that boot with it don't get: "
                                   "cn[03-04]")));
  UpdateSettings settings;
  settings.default_distro = absl::optional<Distro>(D(kSerial));
  EXPECT_THAT(
      Accepted({AssignTo("cn04", "local"), settings}).warnings,
      ElementsAre(EndsWith("get: cn03"),
                  EndsWith("hosts that nobody has named, and that boot with it, don't get")));
  UpdateAgentSettings agent = UpdateOf("lab");
  agent.default_distro = absl::optional<Distro>(D(kSerial));
  EXPECT_THAT(Accepted({agent}).warnings,
              ElementsAre("agent \"lab\": profile \"serial\" uses ${tty}, which 2 hosts that boot "
                          "with it don't get: cn[03-04]"));
  agent.set_variables = {{V("tty"), Value("ttyS9")}};
  EXPECT_THAT(Accepted({agent}).warnings, IsEmpty());
}

TEST_F(LackedVariablesTest, WhatUnknownHostsBootIsToldOfThoseThatNobodyHasNamedOnly) {
  Commit({AssignTo("cn03", kSerial)});
  UpdateSettings settings;
  settings.unknown_hosts = absl::optional<Distro>(D(kSerial));
  const auto unnamed = EndsWith("hosts that nobody has named, and that boot with it, don't get");
  EXPECT_THAT(Accepted({settings}).warnings, ElementsAre(unnamed));
  EXPECT_THAT(Accepted({settings, AssignTo("cn04", kSerial)}).warnings,
              ElementsAre(EndsWith("get: cn04"), unnamed));
}

TEST_F(LackedVariablesTest, HoweverManyGroupsAreTouchedTheSameIsTold) {
  UpdateHost own{.host = Ref("cn02")};
  own.set_variables = {{V("tty"), Value("ttyS1")}};
  Commit({own, AssignTo("cn01", kSerial), AssignTo("cn02", kSerial), AssignTo("cn03", kSerial)});
  SetGroup moved = Rack("r1");
  moved.selector = *Selector::Parse("rack=r9");
  for (const int more : {0, 1, 7, 8, 20}) {
    std::vector<Mutation> mutations{moved, AssignTo("cn04", kSerial)};
    for (int i = 0; i < more; ++i) mutations.push_back(Rack(absl::StrCat("x", i)));
    EXPECT_THAT(Accepted(mutations).warnings, Contains(EndsWith("get: cn[01,04]"))) << more;
  }
}

TEST_F(LackedVariablesTest, WhatTwoTemplatesNeedIsToldOfEach) {
  const char* const kInstaller = "installer";
  DeclareDistro declare{{*DistroName::Parse(kInstaller),
                         DeclaredKernel{*BootFile::Parse("http://x/linux"), {}, T("${tty}")}}};
  Commit({SetProfile{P("other"), T("tty=${tty}")}, declare});
  EXPECT_THAT(Accepted({AssignTo("cn02", kInstaller), AssignTo("cn03", kInstaller),
                        AssignTo("cn04", "debian/bookworm/latest/other")})
                  .warnings,
              UnorderedElementsAre(
                  "distro \"installer\" uses ${tty}, which a host that boots it doesn't get: cn03",
                  "profile \"other\" uses ${tty}, which a host that boots with it doesn't get: "
                  "cn04"));
}

TEST_F(LackedVariablesTest, WhatAnAgentSetsMayBeWhatTheHostGets) {
  UpdateAgentSettings agent = UpdateOf("lab");
  agent.set_variables = {{V("tty"), Value("ttyS9")}};
  Commit({agent});
  EXPECT_THAT(Accepted({AssignTo("cn03", kSerial)}).warnings, IsEmpty());
}

TEST_F(LackedVariablesTest, AProfileThatIsSetInTheSameBatchIsToldOfOnce) {
  EXPECT_THAT(Accepted({SetProfile{P("serial"), T("tty=${tty}")}, AssignTo("cn01", kSerial),
                        AssignTo("cn03", kSerial)})
                  .warnings,
              ElementsAre(HasSubstr("1 of the 2 hosts that boot with it don't get: cn03")));
}

TEST_F(LackedVariablesTest, ManyHostsWithoutAPatternAreNamedInABoundedSentence) {
  std::vector<Mutation> mutations;
  for (unsigned i = 0; i < 5000; ++i) {
    Assign assign{.host = MacAddress::FromNumber(0x020000000000u + 7919 * i), .distro = D(kSerial)};
    mutations.push_back(assign);
  }
  const Plan plan = Accepted(mutations);
  ASSERT_THAT(plan.warnings, SizeIs(1));
  EXPECT_THAT(plan.warnings[0], AllOf(HasSubstr("5000 hosts that boot with it"), EndsWith(",...")));
  EXPECT_LT(plan.warnings[0].size(), 400u);
}

}  // namespace
}  // namespace autopxe::server
