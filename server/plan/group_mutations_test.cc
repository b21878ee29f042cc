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

class GroupMutationsTest : public PlanTest {
 protected:
  GroupMutationsTest() { SetUpProfiles(); }

  static SetGroup Set(absl::string_view name) { return {.name = *GroupName::Parse(name)}; }
  static SetGroup New(absl::string_view name, absl::string_view selector) {
    return {.name = *GroupName::Parse(name), .selector = *Selector::Parse(selector)};
  }
  std::shared_ptr<const Group> Find(absl::string_view name) const {
    return snapshot_->FindGroup(*GroupName::Parse(name));
  }
};

TEST_F(GroupMutationsTest, AGroupIsMadeAndThenChangedFieldByField) {
  SetGroup group = New("gpu", "gpu!=none");
  group.priority = 10;
  group.distro = absl::optional<Distro>(D(kNfsrw));
  group.set_variables = {{V("console"), Value("ttyS1")}};
  EXPECT_THAT(Commit({group}).differences,
              ElementsAre(Difference{"group", "gpu", "selector", {}, "gpu!=none"},
                          Difference{"group", "gpu", "priority", {}, "10"},
                          Difference{"group", "gpu", "distro", {}, kNfsrw},
                          Difference{"group", "gpu", "variables.console", {}, "ttyS1"}));
  EXPECT_TRUE(Commit({group}).change.empty());

  SetGroup update = Set("gpu");
  update.priority = 20;
  EXPECT_THAT(Commit({update}).differences,
              ElementsAre(Difference{"group", "gpu", "priority", "10", "20"}));
  SetGroup no_distro = Set("gpu");
  no_distro.distro.emplace();
  Commit({no_distro});
  EXPECT_FALSE(Find("gpu")->distro.has_value());
  EXPECT_EQ(Find("gpu")->selector.text(), "gpu!=none");
  EXPECT_EQ(Find("gpu")->etag, snapshot_->revision().id.number);
}

TEST_F(GroupMutationsTest, ANewGroupTakesASelector) {
  const Refusal refusal = Refused({Set("gpu")});
  EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(refusal.message, HasSubstr("a new group takes a selector"));
  // One that the batch made before is there.
  Commit({New("gpu", "gpu"), Set("gpu")});
}

TEST_F(GroupMutationsTest, PrioritiesAndDistrosAreChecked) {
  for (const int32_t priority : {kMinGroupPriority - 1, kMaxGroupPriority + 1}) {
    SetGroup group = New("gpu", "gpu");
    group.priority = priority;
    EXPECT_THAT(Refused({group}).message, HasSubstr("priority")) << priority;
  }
  SetGroup group = New("gpu", "gpu");
  group.distro = absl::optional<Distro>(D("debian/forky/latest/nfsrw"));
  EXPECT_EQ(Refused({group}).code, absl::StatusCode::kNotFound);
  group.allow_missing = true;
  EXPECT_THAT(Accepted({group}).warnings, ElementsAre(HasSubstr("no agent offers it now")));
}

TEST_F(GroupMutationsTest, VariablesAreCheckedAsEverywhere) {
  SetGroup built_in = New("gpu", "gpu");
  built_in.set_variables = {{V("host"), Value("x")}};
  EXPECT_THAT(Refused({built_in}).message, HasSubstr("every boot sets itself"));
  SetGroup many = New("gpu", "gpu");
  for (size_t i = 0; i <= kMaxVariablesPerGroup; ++i) {
    many.set_variables.emplace(V(absl::StrCat("v", i)), Value("x"));
  }
  EXPECT_THAT(Refused({many}).message, HasSubstr("65 variables for group \"gpu\""));
  Commit({New("gpu", "gpu")});
  SetGroup unset = Set("gpu");
  unset.unset_variables = {V("consol")};
  EXPECT_THAT(Accepted({unset}).warnings,
              ElementsAre("variable \"consol\": it was not set for group \"gpu\""));
}

TEST_F(GroupMutationsTest, AGroupIsDeletedByItsNameAndASimilarOneIsNamed) {
  Commit({New("gpu", "gpu")});
  const Refusal refusal = Refused({DeleteGroup{*GroupName::Parse("gpuu")}});
  EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
  EXPECT_EQ(refusal.problems[0].reason, Reason::kGroupUnknown);
  EXPECT_THAT(refusal.message, HasSubstr("did you mean \"gpu\""));
  EXPECT_THAT(Commit({DeleteGroup{*GroupName::Parse("gpu")}}).differences,
              ElementsAre(Difference{"group", "gpu", "selector", "gpu", {}},
                          Difference{"group", "gpu", "priority", "0", {}}));
  EXPECT_EQ(Find("gpu"), nullptr);
}

TEST_F(GroupMutationsTest, AProfileThatAGroupBootsWithIsNotDeleted) {
  SetGroup group = New("gpu", "gpu");
  group.distro = absl::optional<Distro>(D(kNfsrw));
  Commit({group});
  const Refusal refusal = Refused({DeleteProfile{P("nfsrw")}});
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(refusal.message, HasSubstr("group \"gpu\" boots with it"));
  Commit({DeleteGroup{*GroupName::Parse("gpu")}, DeleteProfile{P("nfsrw")}});
}

TEST_F(GroupMutationsTest, AnEtagOfAGroupIsExpected) {
  Commit({New("gpu", "gpu")});
  SetGroup update = Set("gpu");
  update.priority = 1;
  const GroupName name = *GroupName::Parse("gpu");
  EXPECT_EQ(Refused({update}, {{name, 0}}).code, absl::StatusCode::kAborted);
  Accepted({update}, {{name, Find("gpu")->etag}});
}

TEST_F(GroupMutationsTest, ThereIsAMostOfGroups) {
  std::vector<Mutation> groups;
  for (size_t i = 0; i < kMaxGroups; ++i) groups.push_back(New(absl::StrCat("g", i), "gpu"));
  Commit(groups);
  EXPECT_THAT(Refused({New("gpu", "gpu")}).message, HasSubstr("there are 1000 groups already"));
  Commit({DeleteGroup{*GroupName::Parse("g1")}, New("gpu", "gpu")});
}

TEST_F(GroupMutationsTest, ASelectorThatMatchesNoHostIsWarnedOf) {
  // Where there are no hosts yet, that says nothing.
  EXPECT_THAT(Accepted({New("typo", "rak=r1")}).warnings, IsEmpty());
  UpdateHost update{.host = Ref("cn01")};
  update.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse("r1")}};
  Commit({Create("cn01", {Mac(kMac1)}), update});
  const struct {
    const char* selector;
    const char* rest;
  } cases[] = {
      {"rak=r1", "; no host has a label \"rak\", did you mean \"rack\"?"},
      {"rack=r1,zone", "; no host has a label \"zone\""},
      {"rack=r2", ""},
      {"!rack", ""},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(Accepted({New("typo", c.selector)}).warnings,
                ElementsAre(absl::StrCat("group \"typo\": its selector \"", c.selector,
                                         "\" matches no host now", c.rest)));
  }
  EXPECT_THAT(Accepted({New("some", "rack=r1"), New("most", "!rak")}).warnings, IsEmpty());
  // A host of the same batch counts.
  UpdateHost moved{.host = Ref("cn01")};
  moved.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse("r2")}};
  EXPECT_THAT(Accepted({New("next", "rack=r2"), moved}).warnings, IsEmpty());
}

}  // namespace
}  // namespace autopxe::server
