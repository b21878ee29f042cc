// Declared distros, and what becomes of assignments to them.

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
using ::testing::StartsWith;

DistroName N(absl::string_view text) { return *DistroName::Parse(text); }
BootFile F(absl::string_view text) { return *BootFile::Parse(text); }

DeclareDistro Chain(absl::string_view name, absl::string_view target) {
  return {{N(name), DeclaredChain{F(target)}}};
}

DeclareDistro Linux(absl::string_view name, std::vector<BootFile> initrds = {},
                    absl::string_view arguments = "") {
  return {{N(name), DeclaredKernel{F("installer/linux"), std::move(initrds), T(arguments)}}};
}

// The agent "lab" offers the file installer/linux, and "attic" that and installer/initrd.
class DistroMutationsTest : public PlanTest {
 protected:
  DistroMutationsTest() {
    SetUpProfiles();
    auto lab = std::make_shared<Catalog>(*catalogs_.at(*AgentId::Parse("lab")));
    lab->files = {{"installer/linux", 1}};
    catalogs_[*AgentId::Parse("lab")] = lab;
    auto attic = std::make_shared<Catalog>();
    attic->files = {{"installer/initrd", 1}, {"installer/linux", 1}};
    catalogs_[*AgentId::Parse("attic")] = attic;
  }
};

TEST_F(DistroMutationsTest, ADistroIsDeclaredChangedAndDeleted) {
  DeclareDistro declare = Linux("installer", {F("installer/initrd"), F("http://x/more")}, "quiet");
  declare.distro.architecture = Architecture::kX86_64;
  Plan plan = Commit({declare});
  EXPECT_THAT(plan.warnings, IsEmpty());
  EXPECT_THAT(
      plan.differences,
      ElementsAre(
          Difference{"distro", "installer", "kernel", {}, "installer/linux"},
          Difference{"distro", "installer", "initrds", {}, "installer/initrd, http://x/more"},
          Difference{"distro", "installer", "arguments", {}, "quiet"},
          Difference{"distro", "installer", "architecture", {}, "x86_64"}));
  EXPECT_EQ(snapshot_->FindDeclaredDistro(N("installer"))->etag, plan.change.revision.id.number);

  EXPECT_TRUE(Accepted({declare}).change.empty());

  plan = Commit({Chain("installer", "http://x/boot.ipxe")});
  EXPECT_THAT(
      plan.differences,
      ElementsAre(
          Difference{"distro", "installer", "kernel", "installer/linux", {}},
          Difference{"distro", "installer", "initrds", "installer/initrd, http://x/more", {}},
          Difference{"distro", "installer", "arguments", "quiet", {}},
          Difference{"distro", "installer", "chain", {}, "http://x/boot.ipxe"},
          Difference{"distro", "installer", "architecture", "x86_64", {}}));

  plan = Commit({DeleteDeclaredDistro{N("installer")}});
  EXPECT_THAT(plan.differences,
              ElementsAre(Difference{"distro", "installer", "chain", "http://x/boot.ipxe", {}}));
  EXPECT_THAT(snapshot_->declared_distros(), IsEmpty());
}

TEST_F(DistroMutationsTest, ItStandsWhereverADistroMay) {
  UpdateSettings settings;
  settings.default_distro = absl::optional<Distro>(D("installer"));
  settings.unknown_hosts = absl::optional<Distro>(D("installer"));
  UpdateAgentSettings agent = UpdateOf("lab");
  agent.default_distro = absl::optional<Distro>(D("installer"));
  SetGroup group{.name = *GroupName::Parse("g"), .selector = *Selector::Parse("a")};
  group.distro = absl::optional<Distro>(D("installer"));
  Assign next = AssignTo(kMac2, "installer");
  next.term = NextBootOnly();
  Assign until = AssignTo(kMac3, "installer");
  until.term = absl::Hours(2);
  const Plan plan = Accepted(
      {Linux("installer"), AssignTo(kMac1, "installer"), next, until, group, settings, agent});
  EXPECT_THAT(plan.change.hosts, SizeIs(3));
  EXPECT_THAT(plan.warnings, ElementsAre(HasSubstr("selector \"a\" matches no host now")));
}

TEST_F(DistroMutationsTest, WhatIsNotDeclaredIsRefusedWithASuggestion) {
  Commit({Linux("installer")});
  const struct {
    const char* distro;
    const char* suggestion;
  } kCases[] = {
      {"instaler", "installer"},
      {"lokal", "local"},
      {"debian", "debian/bookworm/latest/nfsrw"},
      {"debain", "debian/bookworm/latest/nfsrw"},
      {"trixie", "debian/trixie/latest/nfsrw"},
  };
  for (const auto& c : kCases) {
    const Refusal refusal = Refused({AssignTo(kMac1, c.distro)});
    EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound) << c.distro;
    ASSERT_THAT(refusal.problems, SizeIs(1));
    EXPECT_EQ(refusal.problems[0].reason, Reason::kDistroUnknown);
    EXPECT_EQ(refusal.problems[0].field, "distro");
    EXPECT_EQ(refusal.problems[0].value, c.distro);
    ASSERT_FALSE(refusal.problems[0].suggestions.empty()) << c.distro;
    EXPECT_EQ(refusal.problems[0].suggestions[0], c.suggestion);
    EXPECT_THAT(refusal.message, AllOf(HasSubstr(c.distro), HasSubstr(c.suggestion),
                                       HasSubstr("no distro is declared")));
  }
  EXPECT_THAT(Refused({AssignTo(kMac1, "xyzzy")}).message,
              HasSubstr("list the distros to see what can be assigned"));
  EXPECT_THAT(Accepted({AssignTo(kMac1, "instaler", true)}).warnings,
              ElementsAre("distro \"instaler\": no distro is declared by that name now for host "
                          "\"52:54:00:00:00:01\"; did you mean \"installer\"?"));
}

TEST_F(DistroMutationsTest, AFileThatNoAgentHasIsWarnedOfAndNotAssigned) {
  const Plan plan = Commit({Linux("installer", {F("installer/firmware")})});
  EXPECT_THAT(plan.warnings,
              ElementsAre("distro \"installer\": no agent has its file \"installer/firmware\" now; "
                          "put it into an agent's folder of files"));
  const Refusal refusal = Refused({AssignTo(kMac1, "installer")});
  EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
  EXPECT_EQ(refusal.problems[0].reason, Reason::kDistroNotOffered);
  EXPECT_EQ(refusal.message,
            "distro \"installer\": no agent has its file \"installer/firmware\"; put it into an "
            "agent's folder of files, or add --allow-missing");
  EXPECT_THAT(Accepted({AssignTo(kMac1, "installer", true)}).warnings,
              ElementsAre("distro \"installer\": no agent has its file \"installer/firmware\" now "
                          "for host \"52:54:00:00:00:01\""));
  // Declared with other files in the same batch, it is judged by these.
  Accepted({Linux("installer"), AssignTo(kMac1, "installer")});
  catalogs_.clear();
  EXPECT_THAT(Refused({AssignTo(kMac1, "installer")}).message,
              HasSubstr("no agent has its file \"installer/linux\""));
}

TEST_F(DistroMutationsTest, FilesOfDifferentAgentsAreNotEnough) {
  auto attic = std::make_shared<Catalog>();
  attic->files = {{"installer/initrd", 1}};
  catalogs_[*AgentId::Parse("attic")] = attic;
  Commit({Linux("installer", {F("installer/initrd")})});
  EXPECT_THAT(Refused({AssignTo(kMac1, "installer")}).message,
              HasSubstr("no agent has all its files: agent \"attic\" lacks \"installer/linux\""));
}

TEST_F(DistroMutationsTest, TheDefaultOfAnAgentNeedsTheFilesOfThatAgent) {
  Commit({Linux("installer", {F("installer/initrd")})});
  UpdateAgentSettings update = UpdateOf("lab");
  update.default_distro = absl::optional<Distro>(D("installer"));
  EXPECT_THAT(Refused({update}).message,
              HasSubstr("agent \"lab\" does not have its file \"installer/initrd\"; put it into "
                        "its folder of files"));
  update.agent = *AgentId::Parse("attic");
  Accepted({update});
}

TEST_F(DistroMutationsTest, FilesAtUrlsAreNobodysToHave) {
  catalogs_.clear();
  EXPECT_THAT(
      Accepted({Chain("netboot", "https://boot.example/"), AssignTo(kMac1, "netboot")}).warnings,
      IsEmpty());
}

TEST_F(DistroMutationsTest, WhatOnlyAScannedKernelHasIsRefusedInItsArguments) {
  for (const char* name : {"rootfs-path", "release", "kernel", "arch", "distro-name"}) {
    for (const char* reference : {"}", ":-x}"}) {
      const std::string arguments = absl::StrCat("a=${", name, reference);
      const Refusal refusal = Refused({Linux("installer", {}, arguments)});
      EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument) << name;
      ASSERT_THAT(refusal.problems, SizeIs(1)) << name;
      EXPECT_EQ(refusal.problems[0].field, "kernel.arguments");
      EXPECT_EQ(refusal.problems[0].value, arguments);
      EXPECT_THAT(refusal.message, HasSubstr(absl::StrCat("only a scanned distro has ${", name)));
    }
  }
  EXPECT_THAT(
      Accepted({Linux("installer", {},
                      "${distro} ${host} ${mac} ${bootif} ${agent} ${agent-address} ${net0/ip}")})
          .warnings,
      IsEmpty());
  EXPECT_THAT(Refused({Linux("installer", {}, "${host:-x}")}).message,
              HasSubstr("distro \"installer\": \"host\" can't have a default"));
}

TEST_F(DistroMutationsTest, AVariableOfItsArgumentsThatNobodySetsIsRefused) {
  const Refusal refusal = Refused({Linux("installer", {}, "url=${mirror}")});
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal.problems[0].field, "kernel.arguments");
  EXPECT_THAT(refusal.message,
              StartsWith("distro \"installer\" uses ${mirror}, which no variable sets; set it"));
  UpdateHost own{.host = Ref("cn01")};
  own.set_variables = {{V("mirror"), Value("http://x")}};
  EXPECT_THAT(Accepted({Create("cn01", {Mac(kMac1)}), Create("cn02", {Mac(kMac2)}), own,
                        Linux("installer", {}, "url=${mirror}"), AssignTo("cn01", "installer"),
                        AssignTo("cn02", "installer")})
                  .warnings,
              ElementsAre("distro \"installer\" uses ${mirror}, which 1 of the 2 hosts that boot "
                          "it don't get: cn02"));
  // One that is chained, or declared anew without the variable, uses none.
  Accepted({Linux("installer", {}, "url=${mirror}"), Chain("installer", "http://x/")});
}

TEST_F(DistroMutationsTest, WhatSomethingBootsIsNotDeleted) {
  Commit({Linux("installer"), AssignTo(kMac1, "installer"), AssignTo(kMac2, "installer")});
  const Mutation remove = DeleteDeclaredDistro{N("installer")};
  Refusal refusal = Refused({remove});
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal.problems[0].reason, Reason::kDistroInUse);
  EXPECT_EQ(refusal.message, absl::StrCat("distro \"installer\": host \"", kMac1,
                                          "\" and 1 more boot it; assign another distro first"));
  UpdateSettings update;
  update.unknown_hosts = absl::optional<Distro>(D("installer"));
  refusal = Refused({AssignTo(kMac1, "local"), DeleteHost{Ref(kMac2)}, update, remove});
  EXPECT_THAT(refusal.message, HasSubstr("the setting unknown-hosts boots it"));
  Accepted({AssignTo(kMac1, "local"), DeleteHost{Ref(kMac2)}, remove});
}

TEST_F(DistroMutationsTest, AnAssignmentThatHasEndedDoesNotKeepADistro) {
  Assign timed = AssignTo(kMac1, "installer");
  timed.term = absl::Hours(2);
  Commit({Linux("installer"), timed});
  const Mutation remove = DeleteDeclaredDistro{N("installer")};
  now_ += absl::Hours(2) - absl::Seconds(1);
  EXPECT_THAT(Refused({remove}).message, HasSubstr("boots it; assign another distro first"));
  now_ += absl::Seconds(1);
  Accepted({remove});
  // Also not where the batch has changed the host.
  Accepted({AssignTo(kMac2, "installer"), AssignTo(kMac2, "local"), remove});
  UpdateHost note{.host = Ref(kMac1)};
  note.note = *Note::Parse("x");
  Accepted({note, remove});
}

TEST_F(DistroMutationsTest, ADistroIsNotMistakenForAProfileOfTheSameName) {
  Commit({Linux("nfsrw"), AssignTo(kMac1, "nfsrw")});
  Accepted({DeleteProfile{P("nfsrw")}});
  Commit({AssignTo(kMac1, kNfsrw)});
  Accepted({DeleteDeclaredDistro{N("nfsrw")}});
}

TEST_F(DistroMutationsTest, AnUnknownOneIsNotDeleted) {
  Commit({Linux("installer")});
  const Refusal refusal = Refused({DeleteDeclaredDistro{N("instaler")}});
  EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
  EXPECT_EQ(refusal.problems[0].reason, Reason::kDistroUnknown);
  EXPECT_THAT(refusal.problems[0].suggestions, ElementsAre("installer"));
}

TEST_F(DistroMutationsTest, AnEtagTellsWhetherSomebodyDeclaredItAnew) {
  const Plan plan = Commit({Linux("installer")});
  const int64_t etag = plan.change.revision.id.number;
  Accepted({Chain("installer", "http://x/")}, {{N("installer"), etag}});
  Commit({Chain("installer", "http://y/")});
  const Refusal refusal = Refused({Chain("installer", "http://x/")}, {{N("installer"), etag}});
  EXPECT_EQ(refusal.code, absl::StatusCode::kAborted);
  EXPECT_THAT(refusal.message, StartsWith("declared distro \"installer\": expected etag"));
  EXPECT_EQ(refusal.problems[0].value, "installer");
  Refused({Chain("other", "http://x/")}, {{N("other"), 1}});
  Accepted({Chain("other", "http://x/")}, {{N("other"), 0}});
}

TEST_F(DistroMutationsTest, ThereIsABoundedNumberOfThem) {
  std::vector<Mutation> mutations;
  for (size_t i = 0; i < kMaxDeclaredDistros; ++i) {
    mutations.push_back(Chain(absl::StrCat("d", i), "http://x/"));
  }
  Commit(mutations);
  const Refusal refusal = Refused({Chain("more", "http://x/")});
  EXPECT_EQ(refusal.problems[0].reason, Reason::kBatchInvalid);
  EXPECT_THAT(refusal.message, HasSubstr("there are 1000 declared distros already"));
  Accepted({Chain("d7", "http://y/")});
  Accepted({DeleteDeclaredDistro{N("d7")}, Chain("more", "http://x/")});

  EXPECT_THAT(
      Refused({Linux("d7", std::vector<BootFile>(kMaxDeclaredInitrds + 1, F("a")))}).message,
      HasSubstr("it has 17 initrds, expected 16 at most"));
}

}  // namespace
}  // namespace autopxe::server
