#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/plan/plan.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

LabelKey Key(absl::string_view text) { return *LabelKey::Parse(text); }
LabelValue LabelOf(absl::string_view text) { return *LabelValue::Parse(text); }

class HostMutationsTest : public PlanTest {
 protected:
  HostMutationsTest() {
    SetUpProfiles();
    Commit({Create("cn01", {Mac(kMac1)})});
  }

  std::shared_ptr<const Host> Cn01() const { return snapshot_->FindHost(Ref("cn01")); }

  Assign ForTerm(absl::string_view distro, Term term) const {
    return {.host = Ref("cn01"), .distro = D(distro), .allow_missing = false, .term = term};
  }

  UpdateHost Update() const { return {.host = Ref("cn01")}; }
};

TEST_F(HostMutationsTest, ANextBootStandsBesideTheStandingAssignment) {
  Commit({AssignTo("cn01", kOverlayfs)});
  const Plan plan = Commit({ForTerm(kNfsrw, NextBootOnly())});
  EXPECT_THAT(plan.differences, ElementsAre(Difference{"host", "cn01", "next_boot", {}, kNfsrw}));
  EXPECT_EQ(Cn01()->distro, D(kOverlayfs));
  EXPECT_EQ(Cn01()->next->token, snapshot_->revision().id.number);
}

TEST_F(HostMutationsTest, TheSameNextBootAgainKeepsItsTokenAndAnotherGetsANewOne) {
  Commit({ForTerm(kNfsrw, NextBootOnly())});
  const int64_t token = Cn01()->next->token;
  EXPECT_TRUE(Commit({ForTerm(kNfsrw, NextBootOnly())}).change.empty());
  Commit({ForTerm("local", NextBootOnly())});
  EXPECT_GT(Cn01()->next->token, token);
}

TEST_F(HostMutationsTest, OnlyWhatAHostCanBeSeenToDoOnceIsForTheNextBoot) {
  for (const char* distro : {"menu", "wait", "ignore"}) {
    const Refusal refusal = Refused({ForTerm(distro, NextBootOnly())});
    EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument) << distro;
    EXPECT_THAT(refusal.message, AllOf(HasSubstr(distro), HasSubstr("next boot only")));
  }
}

TEST_F(HostMutationsTest, ATimedAssignmentEndsAtItsTimeHoweverThatIsSaid) {
  Commit({ForTerm(kNfsrw, absl::Hours(2))});
  EXPECT_EQ(Cn01()->timed->until, now_ + absl::Hours(2));
  Commit({ForTerm(kNfsrw, now_ + absl::Hours(3))});
  EXPECT_EQ(Cn01()->timed->until, now_ + absl::Hours(3));
  EXPECT_FALSE(Cn01()->distro.has_value());
}

TEST_F(HostMutationsTest, ATermIsInTheFutureAndOfAYearAtMost) {
  const Term wrong[] = {absl::ZeroDuration(),        -absl::Seconds(1),
                        kMaxTerm + absl::Seconds(1), now_,
                        now_ - absl::Hours(1),       now_ + kMaxTerm + absl::Seconds(1)};
  for (const Term& term : wrong) {
    EXPECT_THAT(Refused({ForTerm(kNfsrw, term)}).message,
                HasSubstr("expected a time in the future, in 366 days at most"));
  }
  Commit({ForTerm(kNfsrw, kMaxTerm)});
}

TEST_F(HostMutationsTest, AStandingAssignmentEndsATimedOneButLeavesTheNextBoot) {
  Commit({ForTerm(kNfsrw, absl::Hours(2)), ForTerm("local", NextBootOnly())});
  Commit({AssignTo("cn01", kOverlayfs)});
  EXPECT_FALSE(Cn01()->timed.has_value());
  EXPECT_EQ(Cn01()->next->distro, D("local"));
}

TEST_F(HostMutationsTest, UnassigningTakesAllOrTheNextBootOnly) {
  Commit({AssignTo("cn01", kOverlayfs), ForTerm(kNfsrw, absl::Hours(2)),
          ForTerm("local", NextBootOnly())});
  const auto before = snapshot_;
  Commit({Unassign{.host = Ref("cn01"), .next_boot_only = true}});
  EXPECT_FALSE(Cn01()->next.has_value());
  EXPECT_TRUE(Cn01()->timed.has_value());
  snapshot_ = before;
  Commit({Unassign{.host = Ref("cn01")}});
  EXPECT_FALSE(Cn01()->next.has_value() || Cn01()->timed.has_value() || Cn01()->distro.has_value());
}

TEST_F(HostMutationsTest, AUsedNextBootIsTakenAwayByItsTokenOnly) {
  Commit({ForTerm(kNfsrw, NextBootOnly())});
  const NextBoot next = *Cn01()->next;
  const HostId id = Cn01()->id;
  EXPECT_TRUE(Accepted({UseNextBoot{id, next.token + 1}}).change.empty());
  EXPECT_TRUE(Accepted({UseNextBoot{HostId{99}, next.token}}).change.empty());
  EXPECT_THAT(Commit({UseNextBoot{id, next.token}}).differences,
              ElementsAre(Difference{"host", "cn01", "next_boot", kNfsrw, {}}));
  EXPECT_TRUE(Commit({UseNextBoot{id, next.token}}).change.empty());
}

TEST_F(HostMutationsTest, AHostIsRenamedAndItsMacsChange) {
  UpdateHost update = Update();
  update.name = *HostName::Parse("gpu01");
  update.add_macs = {Mac(kMac2)};
  update.remove_macs = {Mac(kMac1)};
  Commit({update});
  EXPECT_EQ(snapshot_->FindHost(Ref("cn01")), nullptr);
  EXPECT_EQ(snapshot_->FindHost(Ref(kMac1)), nullptr);
  EXPECT_EQ(snapshot_->FindHost(Ref(kMac2))->name.text(), "gpu01");
}

TEST_F(HostMutationsTest, AHostThatIsKnownByItsMacAloneIsCalledByOneThatItHas) {
  Commit({AssignTo(kMac2, kOverlayfs)});
  Commit({UpdateHost{.host = Ref(kMac2), .add_macs = {Mac(kMac3)}, .remove_macs = {Mac(kMac2)}}});
  EXPECT_EQ(snapshot_->FindHost(Ref(kMac3))->name.text(), kMac3);
}

TEST_F(HostMutationsTest, ANameOrAMacThatAnotherHasIsRefused) {
  Commit({Create("cn02", {Mac(kMac2)})});
  UpdateHost name = Update();
  name.name = *HostName::Parse("cn02");
  EXPECT_EQ(Refused({name}).code, absl::StatusCode::kAlreadyExists);
  UpdateHost mac = Update();
  mac.add_macs = {Mac(kMac2)};
  EXPECT_EQ(Refused({mac}).code, absl::StatusCode::kAlreadyExists);
  UpdateHost foreign = Update();
  foreign.name = *HostName::Parse(kMac3);
  EXPECT_THAT(Refused({foreign}).message, HasSubstr("none of its own"));
  // Where it is free within the batch, it can be had.
  name.name = *HostName::Parse("cn03");
  Commit({name, UpdateHost{.host = Ref("cn02"), .name = *HostName::Parse("cn01")}});
  EXPECT_EQ(Cn01()->macs, std::vector<MacAddress>{Mac(kMac2)});
}

TEST_F(HostMutationsTest, MacsAreOneAtLeastAndNoMoreThanAllowed) {
  UpdateHost none = Update();
  none.remove_macs = {Mac(kMac1)};
  EXPECT_THAT(Refused({none}).message, HasSubstr("it would have 0 MACs"));
  UpdateHost strange = Update();
  strange.remove_macs = {Mac(kMac2)};
  EXPECT_THAT(Refused({strange}).message, HasSubstr("it has no MAC"));
  UpdateHost many = Update();
  for (uint64_t i = 0; i < kMaxMacsPerHost; ++i) {
    many.add_macs.push_back(MacAddress::FromNumber(0x020000000000 + i));
  }
  EXPECT_THAT(Refused({many}).message, HasSubstr("it would have 65 MACs"));
}

TEST_F(HostMutationsTest, LabelsAreSetAndRemoved) {
  UpdateHost update = Update();
  update.set_labels = {{Key("rack"), LabelOf("r1")}, {Key("gpu"), LabelOf("")}};
  Commit({update});
  UpdateHost unset = Update();
  unset.unset_labels = {Key("gpu"), Key("gpus")};
  EXPECT_THAT(Commit({unset}).warnings,
              ElementsAre("label \"gpus\": it was not set for host \"cn01\""));
  EXPECT_EQ(FormatLabels(Cn01()->labels), "rack=r1");
  unset.set_labels = {{Key("gpu"), LabelOf("x")}};
  EXPECT_THAT(Refused({unset}).message, HasSubstr("both set and unset"));
}

TEST_F(HostMutationsTest, WhatIsSoForManyHostsIsOneWarning) {
  std::vector<Mutation> mutations;
  for (int i = 2; i <= 50; ++i) {
    const std::string name = absl::StrCat("cn", i < 10 ? "0" : "", i);
    mutations.push_back(Create(name, {MacAddress::FromNumber(0x020000000000u + unsigned(i))}));
    UpdateHost update{.host = Ref(name)};
    update.unset_labels = {Key("gpu")};
    update.unset_variables = {V("tty")};
    mutations.push_back(update);
  }
  EXPECT_THAT(Accepted(mutations).warnings,
              ElementsAre("label \"gpu\": it was not set for 49 hosts: cn[02-50]",
                          "variable \"tty\": it was not set for 49 hosts: cn[02-50]"));
}

TEST_F(HostMutationsTest, ManyUnknownHostsAreOneSentence) {
  EXPECT_EQ(Refused({AssignTo("cn02", "local"), AssignTo("cn03", "local")}).message,
            "2 hosts are unknown: cn[02-03]; by \"cn02\" did you mean \"cn01\"?");
  EXPECT_THAT(Refused({AssignTo("login7", "local"), AssignTo("login8", "local")}).message,
              HasSubstr("2 hosts are unknown: login[7-8]; see autopxectl host list"));
}

TEST_F(HostMutationsTest, HostsSwapTheirMacsInOneBatch) {
  Commit({Create("cn02", {Mac(kMac2)}), Create("cn03", {Mac(kMac3)})});
  const auto give = [](const char* host, const char* mac, const char* lost) {
    return UpdateHost{.host = Ref(host), .add_macs = {Mac(mac)}, .remove_macs = {Mac(lost)}};
  };
  // In a ring, and what each gets another one loses only later.
  const Plan plan = Accepted({give("cn01", kMac3, kMac1), give("cn03", kMac2, kMac3),
                              AssignTo("cn03", "local"), give("cn02", kMac1, kMac2)});
  EXPECT_THAT(plan.differences, ElementsAre(Difference{"host", "cn01", "macs", kMac1, kMac3},
                                            Difference{"host", "cn02", "macs", kMac2, kMac1},
                                            Difference{"host", "cn03", "macs", kMac3, kMac2},
                                            Difference{"host", "cn03", "distro", {}, "local"}));
  // A new host as well.
  EXPECT_THAT(
      Accepted({Create("new", {Mac(kMac1)}), give("cn01", "02:00:00:00:00:09", kMac1)}).differences,
      SizeIs(2));
  // But not what nobody loses, or a host that does not have it.
  EXPECT_THAT(Refused({give("cn01", kMac3, kMac1), give("cn02", kMac1, kMac2)}).message,
              HasSubstr("host \"cn03\" has it already"));
  EXPECT_THAT(Refused({give("cn01", kMac3, kMac1), give("cn02", kMac1, kMac3)}).message,
              HasSubstr("host \"cn03\" has it already"));
}

TEST_F(HostMutationsTest, AHostWhoseMacWasTakenEarlyIsChangedMeanwhileLikeAnyOther) {
  Commit({Create("cn02", {Mac(kMac2)}), Create(kMac3, {Mac(kMac3)})});
  UpdateHost gets{.host = Ref("cn01")};
  for (const char* other : {"cn02", kMac3}) {
    const MacAddress own = snapshot_->FindHost(Ref(other))->macs.front();
    gets.add_macs = {own};
    const HostReference reference = snapshot_->FindHost(Ref(other))->name;
    UpdateHost label{.host = reference};
    label.set_labels = {{Key("rack"), LabelOf("r7")}};
    const UpdateHost loses{
        .host = reference, .add_macs = {Mac("02:00:00:00:00:09")}, .remove_macs = {own}};
    Assign assign = AssignTo("cn01", "local");
    assign.host = reference;
    const Plan plan = Accepted({gets, label, assign, loses});
    ASSERT_THAT(plan.change.hosts, SizeIs(2)) << other;
    EXPECT_THAT(plan.change.hosts[0]->macs, ElementsAre(Mac(kMac1), own));
    const Host& lost = *plan.change.hosts[1];
    EXPECT_THAT(lost.macs, ElementsAre(Mac("02:00:00:00:00:09")));
    EXPECT_EQ(lost.labels.at(Key("rack")).text(), "r7");
    EXPECT_EQ(lost.distro, D("local"));
    EXPECT_EQ(lost.name.text(), absl::string_view(other) == "cn02" ? "cn02" : "02:00:00:00:00:09");
    // Without another one it has none in the end.
    UpdateHost only_loses{.host = reference};
    only_loses.remove_macs = {own};
    EXPECT_THAT(Refused({gets, label, only_loses}).message, HasSubstr("it would have 0 MACs"));
  }
}

TEST_F(HostMutationsTest, AMacIsTakenEarlyByTheMutationThatComesNext) {
  // To and fro: each mutation takes it from the host that the one before has given it to.
  Commit({Create("cn02", {Mac(kMac2)})});
  const auto move = [](const char* host, bool adds) {
    UpdateHost update{.host = Ref(host)};
    (adds ? update.add_macs : update.remove_macs) = {Mac(kMac3)};
    return update;
  };
  std::vector<Mutation> mutations{move("cn01", true)};
  for (int i = 0; i < 1000; ++i) {
    mutations.push_back(move("cn02", true));
    mutations.push_back(move("cn01", false));
    mutations.push_back(move("cn01", true));
    mutations.push_back(move("cn02", false));
  }
  EXPECT_THAT(
      Accepted(mutations).differences,
      ElementsAre(Difference{"host", "cn01", "macs", kMac1, absl::StrCat(kMac1, ", ", kMac3)}));
}

TEST_F(HostMutationsTest, LabelsAndVariablesHaveLimits) {
  UpdateHost labels = Update();
  UpdateHost variables = Update();
  for (size_t i = 0; i <= kMaxLabelsPerHost; ++i) {
    labels.set_labels.emplace(Key(absl::StrCat("k", i)), LabelOf("v"));
    variables.set_variables.emplace(V(absl::StrCat("v", i)), Value("x"));
  }
  EXPECT_THAT(Refused({labels}).message, HasSubstr("65 labels, expected 64 at most"));
  EXPECT_THAT(Refused({variables}).message, HasSubstr("65 variables"));
}

TEST_F(HostMutationsTest, VariablesNoteAndLockAreDifferencesOfTheirOwn) {
  UpdateHost update = Update();
  update.set_variables = {{V("console"), Value("ttyS1")}};
  update.note = *Note::Parse("broken fan");
  update.locked = true;
  EXPECT_THAT(Commit({update}).differences,
              ElementsAre(Difference{"host", "cn01", "variables.console", {}, "ttyS1"},
                          Difference{"host", "cn01", "note", {}, "broken fan"},
                          Difference{"host", "cn01", "locked", {}, "true"}));
  EXPECT_TRUE(Accepted({update}).change.empty());
  UpdateHost back = Update();
  back.unset_variables = {V("console"), V("consol")};
  back.note = *Note::Parse("");
  back.locked = false;
  EXPECT_THAT(Commit({back}).warnings,
              ElementsAre("variable \"consol\": it was not set for host \"cn01\""));
}

TEST_F(HostMutationsTest, AnUnknownHostIsRefusedEvenByItsMac) {
  for (const char* host : {"cn1", kMac3}) {
    const Refusal refusal = Refused({UpdateHost{.host = Ref(host), .locked = true}});
    EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound) << host;
    EXPECT_THAT(refusal.problems, SizeIs(1));
  }
  EXPECT_THAT(Accepted({Update()}).differences, IsEmpty());
}

}  // namespace
}  // namespace autopxe::server
