#include "server/services/verdict.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/explained_sample.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// The sample's host at its agent, with what tests change of both.
struct Site {
  Sample sample;
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  const char* mac = "bc:24:11:b0:1a:de";

  Finding Judge() const {
    const auto snapshot = sample.Build();
    const HostQuestion question{.mac = MacAddress::Parse(mac).value(), .by_http = true};
    return JudgeBoot(*snapshot,
                     BuildDecision(*snapshot, agent.entry, agent.catalog.get(), question, kNow),
                     agent, kNow);
  }
};

TEST(VerdictTest, WhereAllIsWellThereIsNothingToDo) {
  const Finding finding = Site().Judge();
  EXPECT_EQ(finding.verdict, v1::VERDICT_GOOD);
  EXPECT_EQ(finding.advice, "");
}

TEST(VerdictTest, TheAgentsStateMakesItDoubtfulAndSaysWhichRevisionItHas) {
  const struct {
    v1::AgentState state;
    int64_t lag;
    int watches;
    v1::Verdict verdict;
    const char* advice;
  } cases[] = {
      {v1::AGENT_STATE_BEHIND, 1, 1, v1::VERDICT_DOUBTFUL,
       "agent \"lab\" has revision 16, and not 0, by which this is said: wait a moment, and "
       "explain "
       "again"},
      {v1::AGENT_STATE_AWAY, 0, 0, v1::VERDICT_DOUBTFUL,
       "agent \"lab\" is not connected, last heard of 5m0s ago, when it had this revision; hosts "
       "boot this if it still serves them: see that it runs and reaches this server"},
      {v1::AGENT_STATE_AWAY, 3, 0, v1::VERDICT_DOUBTFUL,
       "agent \"lab\" is not connected, last heard of 5m0s ago with revision 16, and not 0, by "
       "which "
       "this is said; hosts boot what it knew then: see that it runs and reaches this server"},
      {v1::AGENT_STATE_FOREIGN, -1, 1, v1::VERDICT_DOUBTFUL,
       "which is not this server's: see autopxectl agent list"},
      {v1::AGENT_STATE_EMPTY, -1, 1, v1::VERDICT_BAD,
       "has no configuration yet: wait a moment, and explain again"},
      {v1::AGENT_STATE_EMPTY, -1, 0, v1::VERDICT_BAD,
       "has no configuration yet, last heard of 5m0s ago: see that it runs"},
  };
  for (const auto& c : cases) {
    Site site;
    site.agent.condition.state = c.state;
    site.agent.lag = c.lag;
    site.agent.entry.watches = c.watches;
    site.agent.entry.last_seen = kNow - absl::Minutes(5);
    site.agent.entry.status->applied.number = 16;
    const Finding finding = site.Judge();
    EXPECT_EQ(finding.verdict, c.verdict) << c.advice;
    EXPECT_THAT(finding.advice, HasSubstr(c.advice));
  }
}

TEST(VerdictTest, WhatTheAgentReportsOfItselfIsToBeSeenTo) {
  Site site;
  site.agent.entry.status->problems = {"the journal is full", "the catalog is kept as it was"};
  Finding finding = site.Judge();
  EXPECT_EQ(finding.verdict, v1::VERDICT_DOUBTFUL);
  EXPECT_EQ(finding.advice,
            "see to what agent \"lab\" reports: the journal is full; besides, see to what agent "
            "\"lab\" reports: the catalog is kept as it was");
  site.agent.entry.status->problems.clear();
  site.agent.entry.watches = 2;
  finding = site.Judge();
  EXPECT_EQ(finding.verdict, v1::VERDICT_DOUBTFUL);
  EXPECT_THAT(finding.advice, StartsWith("2 agents run under the id \"lab\""));
}

TEST(VerdictTest, ACatalogThatIsNotToldYetIsNotAnEmptyOne) {
  Site site;
  site.agent.catalog = nullptr;
  EXPECT_EQ(site.Judge().verdict, v1::VERDICT_DOUBTFUL);
  EXPECT_EQ(site.Judge().advice,
            "agent \"lab\" has not told yet what it offers, so nobody knows whether it can boot "
            "debian/bookworm/latest/overlayfs: wait a moment, and explain again");
  site.agent.entry.watches = 0;
  EXPECT_THAT(site.Judge().advice, HasSubstr("overlayfs: see that it runs"));
  site.agent.entry.watches = 1;
  site.agent.catalog = std::make_shared<const Catalog>();
  EXPECT_EQ(site.Judge().verdict, v1::VERDICT_BAD);
  EXPECT_EQ(site.Judge().advice,
            "agent \"lab\" offers no kernel at all: put a release into its rootfs folder "
            "/srv/rootfs, or assign what needs none: autopxectl assign node1 DISTRO");
}

TEST(VerdictTest, ADeclaredDistroNeedsNoReleaseButToBeDeclaredAndItsFiles) {
  Site site;
  Host host = *site.sample.hosts.front();
  host.distro = Distro::Parse("installer").value();
  site.sample.hosts = {std::make_shared<const Host>(host)};
  site.agent.catalog = std::make_shared<const Catalog>();
  const char* const advice =
      "declare it, or put its files into the folder of files of agent \"lab\", or assign something "
      "else: autopxectl assign node1 DISTRO";
  EXPECT_EQ(site.Judge().verdict, v1::VERDICT_BAD);
  EXPECT_EQ(site.Judge().advice, advice);
  site.sample.DeclareChain("installer", "netboot.efi");
  EXPECT_EQ(site.Judge().verdict, v1::VERDICT_BAD);
  EXPECT_EQ(site.Judge().advice, advice);
  Catalog catalog;
  catalog.files = {{"netboot.efi", 1}};
  site.agent.catalog = std::make_shared<const Catalog>(catalog);
  EXPECT_EQ(site.Judge().verdict, v1::VERDICT_GOOD);
  // What it lacks then is a variable.
  site.sample.DeclareKernel("memtest", "netboot.efi", {}, "x=${nobody-sets-it}");
  host.distro = Distro::Parse("memtest").value();
  site.sample.hosts = {std::make_shared<const Host>(host)};
  EXPECT_THAT(site.Judge().advice, StartsWith("see to what is missing"));
}

TEST(VerdictTest, TheGravestComesFirstAndTheRestBesides) {
  Site site;
  site.agent.catalog = std::make_shared<const Catalog>();
  site.agent.condition.state = v1::AGENT_STATE_BEHIND;
  site.agent.lag = 1;
  const Finding finding = site.Judge();
  EXPECT_EQ(finding.verdict, v1::VERDICT_BAD);
  EXPECT_THAT(finding.advice, StartsWith("agent \"lab\" offers no kernel at all"));
  EXPECT_THAT(finding.advice, HasSubstr("DISTRO; besides, agent \"lab\" has revision 0"));
  EXPECT_EQ(Join({}, {v1::VERDICT_BAD, "a"}).advice, "a");
  EXPECT_EQ(Join({v1::VERDICT_DOUBTFUL, "a"}, {v1::VERDICT_BAD, "b"}).advice, "b; besides, a");
}

TEST(VerdictTest, WhereNothingIsAssignedSomethingIsToBe) {
  Site site;
  site.mac = "52:54:00:00:00:99";
  EXPECT_EQ(site.Judge().advice,
            "assign what it is to boot: autopxectl assign 52:54:00:00:00:99 DISTRO");
  site.sample.settings.unknown_hosts = Distro::Wait();
  EXPECT_EQ(site.Judge().verdict, v1::VERDICT_GOOD) << "that is what is meant for it";
}

}  // namespace
}  // namespace autopxe::server
