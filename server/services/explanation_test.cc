#include "server/services/explanation.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/explained_sample.h"

namespace autopxe::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kNode1[] = "bc:24:11:b0:1a:de";
constexpr char kNfsrw[] = "debian/bookworm/latest/nfsrw";
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

Distro D(absl::string_view text) { return Distro::Parse(text).value(); }

// The sample's site, with what tests change of its host and its groups.
struct Site {
  Sample sample;
  Snapshot::Groups groups;
  std::vector<NextBootUse> used_twice;

  Site() {
    for (CatalogDistro& distro : sample.catalog.distros) {
      for (CatalogRelease& release : distro.releases) {
        for (CatalogKernel& kernel : release.kernels) {
          kernel.kernel_size = 8'000'000;
          kernel.initrd_size = 30'000'000;
        }
      }
    }
  }

  Host Node1() const {
    Host host = *sample.hosts.front();
    host.labels = {{LabelKey::Parse("rack").value(), LabelValue::Parse("r1").value()}};
    return host;
  }
  void Put(Host host) { sample.hosts = {std::make_shared<const Host>(std::move(host))}; }
  void AddGroup(absl::string_view name, int32_t priority, absl::string_view distro) {
    groups.push_back(
        std::make_shared<const Group>(Group{.name = GroupName::Parse(name).value(),
                                            .selector = Selector::Parse("rack=r1").value(),
                                            .priority = priority,
                                            .distro = D(distro)}));
  }

  std::shared_ptr<const Snapshot> Build() const {
    const auto without = sample.Build();
    std::vector<Profile> profiles;
    for (const auto& [name, profile] : without->profiles()) profiles.push_back(profile);
    return Snapshot::Create(Revision(), sample.settings, std::move(profiles), sample.hosts,
                            sample.agent_settings, groups, sample.declared)
        .value();
  }

  v1::ExplainResponse Explain(absl::string_view mac = kNode1, bool by_http = true) const {
    return Explain(ExplainedOf(sample, kNow), mac, by_http);
  }
  v1::ExplainResponse Explain(const ExplainedAgent& agent, absl::string_view mac = kNode1,
                              bool by_http = true) const {
    return BuildExplanation(*Build(), agent,
                            {.mac = MacAddress::Parse(mac).value(), .by_http = by_http}, used_twice,
                            kNow);
  }
};

TEST(ExplanationTest, AnAssignedHostIsExplainedWithAllItsParts) {
  Site site;
  const v1::ExplainResponse response = site.Explain();
  EXPECT_THAT(response.sentences(),
              ElementsAre("host \"node1\" boots debian/bookworm/latest/overlayfs: it is assigned "
                          "to it"));
  EXPECT_EQ(response.verdict(), v1::VERDICT_GOOD);
  EXPECT_EQ(response.advice(), "");
  EXPECT_EQ(response.decision().outcome(), v1::OUTCOME_BOOT);
  EXPECT_EQ(response.decision().agent_id(), "lab");
  ASSERT_EQ(response.command_line_words_size(), 4);
  EXPECT_EQ(response.command_line_words(1).text(),
            "nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm");
  EXPECT_EQ(response.command_line_words(1).template_text(), "nfsroot=${nfs-server}:${rootfs-path}");
  ASSERT_EQ(response.variables_size(), 2);
  EXPECT_EQ(response.variables(0).name(), "nfs-server");
  EXPECT_EQ(response.variables(0).origin(), v1::VARIABLE_ORIGIN_GLOBAL);
  EXPECT_EQ(response.variables(1).name(), "rootfs-path");
  EXPECT_EQ(response.variables(1).origin(), v1::VARIABLE_ORIGIN_BUILT_IN);
  ASSERT_EQ(response.files_size(), 2);
  EXPECT_EQ(response.files(0).role(), "kernel");
  EXPECT_EQ(response.files(0).path(), "/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64");
  EXPECT_EQ(response.files(0).size(), 8'000'000);
  EXPECT_EQ(response.files(1).role(), "initrd");
}

TEST(ExplanationTest, TheScriptIsTheOneOfTheOneEntry) {
  Site site;
  for (const char* mac : {kNode1, "52:54:00:00:00:99"}) {
    for (const Transport transport : {Transport::kHttp, Transport::kTftp}) {
      const v1::ExplainResponse response = site.Explain(mac, transport == Transport::kHttp);
      const BootAnswer answer = Boot(*site.Build(), site.sample.catalog, site.sample.agent,
                                     FactsOf(mac, transport), kNow);
      EXPECT_EQ(response.script(), answer.script);
      EXPECT_EQ(response.decision().command_line(), answer.decision.command_line);
      EXPECT_EQ(response.asked_at(), "10.77.0.1");
      EXPECT_EQ(response.script_doubts_size(), 0);
    }
  }
}

TEST(ExplanationTest, TheGroupThatWinsIsNamedAndThoseThatLose) {
  Site site;
  Host host = site.Node1();
  host.distro.reset();
  site.Put(host);
  site.AddGroup("gpu", 10, kNfsrw);
  site.AddGroup("r1", 5, "local");
  EXPECT_THAT(site.Explain().sentences(),
              ElementsAre("host \"node1\" boots debian/bookworm/latest/nfsrw: group \"gpu\" "
                          "(priority 10) says so",
                          "group \"r1\" (priority 5) says local, but what is above wins"));
}

TEST(ExplanationTest, WhatComesAfterwardsIsSaidOfTerms) {
  Site site;
  Host host = site.Node1();
  host.next = NextBoot{.distro = D("local"), .token = 3};
  host.timed = TimedAssignment{.distro = D(kNfsrw), .until = kNow - absl::Seconds(1)};
  host.locked = true;
  site.Put(host);
  EXPECT_THAT(site.Explain().sentences(),
              ElementsAre("host \"node1\" boots local: it is assigned to its next boot only",
                          "after that it boots debian/bookworm/latest/overlayfs: it is assigned to "
                          "it",
                          "its assignment to debian/bookworm/latest/nfsrw ended at "
                          "2023-11-14T22:13:19+00:00",
                          "it is locked: what it boots is changed with --force only"));
  host.next.reset();
  host.timed->until = kNow + absl::Seconds(1);
  site.Put(host);
  EXPECT_EQ(site.Explain().sentences(0),
            "host \"node1\" boots debian/bookworm/latest/nfsrw: it is assigned to it until "
            "2023-11-14T22:13:21+00:00");
  EXPECT_TRUE(site.Explain().decision().has_until());
}

TEST(ExplanationTest, AVariableOfAGroupAndADefaultHaveTheirOrigins) {
  Site site;
  site.sample.profiles["overlayfs"] = "a=${tty} b=${speed:-115200}";
  Host host = site.Node1();
  site.Put(host);
  Group group{.name = GroupName::Parse("r1").value(),
              .selector = Selector::Parse("rack=r1").value()};
  group.variables = VariablesOf({{"tty", "ttyS1"}});
  site.groups = {std::make_shared<const Group>(group)};
  const v1::ExplainResponse response = site.Explain();
  ASSERT_EQ(response.variables_size(), 2);
  EXPECT_EQ(response.variables(0).value(), "115200");
  EXPECT_EQ(response.variables(0).origin(), v1::VARIABLE_ORIGIN_TEMPLATE);
  EXPECT_EQ(response.variables(1).origin(), v1::VARIABLE_ORIGIN_GROUP);
  EXPECT_EQ(response.variables(1).group(), "r1");
}

TEST(ExplanationTest, EachReferenceOfAWordHasTheOriginOfWhatItBecameThere) {
  Site site;
  site.sample.profiles["overlayfs"] =
      "a=${own}${own:-1} b=${unset:-2}${unset:-3} c=${site}${here}${at} d=${host} ${uuid} "
      "${site:-}";
  site.sample.settings.variables = VariablesOf({{"own", "x"}, {"site", "s"}, {"here", "x"}});
  AgentSettings settings = SettingsFor("lab");
  settings.variables = VariablesOf({{"here", "h"}, {"at", "x"}});
  site.sample.agent_settings = {settings};
  Host host = site.Node1();
  host.variables = VariablesOf({{"own", ""}});
  site.Put(host);
  Group group{.name = GroupName::Parse("r1").value(),
              .selector = Selector::Parse("rack=r1").value()};
  group.variables = VariablesOf({{"at", "g"}});
  site.groups = {std::make_shared<const Group>(group)};
  std::vector<std::string> words;
  const v1::ExplainResponse response = site.Explain();
  for (const v1::CommandLineWord& word : response.command_line_words()) {
    words.push_back(word.text());
    for (const v1::DecisionVariable& reference : word.references()) {
      absl::StrAppend(&words.back(), " ", reference.name(), "=", reference.value(), ":",
                      v1::VariableOrigin_Name(reference.origin()).substr(16), reference.group());
    }
  }
  EXPECT_THAT(words,
              ElementsAre("a=1 own=:HOST own=1:TEMPLATE", "b=23 unset=2:TEMPLATE unset=3:TEMPLATE",
                          "c=shg site=s:GLOBAL here=h:AGENT at=g:GROUPr1",
                          "d=node1 host=node1:BUILT_IN", "${uuid} uuid=:IPXE", "s site=s:GLOBAL"));
  EXPECT_EQ(response.variables_size(), 8) << "two values of each of two, and four others";
}

TEST(ExplanationTest, TheKernelOfANextBootIsAskedForByThePathThatUsesItUp) {
  Site site;
  Host host = site.Node1();
  host.next = NextBoot{.distro = D(kNfsrw), .token = 3};
  site.Put(host);
  const v1::ExplainResponse response = site.Explain();
  ASSERT_EQ(response.files_size(), 2);
  const std::string& kernel = response.files(0).path();
  EXPECT_EQ(kernel, "/next/bc-24-11-b0-1a-de/3/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64");
  EXPECT_THAT(response.script(), HasSubstr("set _once next/bc-24-11-b0-1a-de/3/\n"));
  EXPECT_THAT(response.files(1).path(), StartsWith("/boot/debian/bookworm/boot/initrd.img"));
}

TEST(ExplanationTest, ANextBootThatWasUsedTwiceIsTold) {
  Site site;
  for (const char* agent : {"attic", "cellar"}) {
    site.used_twice.push_back({.agent = AgentId::Parse(agent).value(),
                               .host = HostId{1},
                               .token = 7,
                               .time = kNow,
                               .distro = "local"});
  }
  EXPECT_THAT(
      site.Explain().sentences(),
      Contains("it used one next boot of local 2 times, since these agents had not heard of "
               "each other: at agent \"attic\" at 2023-11-14T22:13:20+00:00, at agent "
               "\"cellar\" at 2023-11-14T22:13:20+00:00"));
}

TEST(ExplanationTest, AMissingDistroIsBadAndSaysWhatIsThere) {
  Site site;
  Host host = site.Node1();
  host.distro = D("debian/forky/latest/overlayfs");
  site.Put(host);
  const v1::ExplainResponse response = site.Explain();
  EXPECT_EQ(response.verdict(), v1::VERDICT_BAD);
  EXPECT_EQ(response.decision().outcome(), v1::OUTCOME_MISSING);
  EXPECT_THAT(*response.sentences().rbegin(), HasSubstr("bookworm"));
  EXPECT_THAT(response.advice(), HasSubstr("autopxectl assign node1"));
  EXPECT_EQ(response.command_line_words_size(), 0);
  EXPECT_EQ(response.files_size(), 0);
}

TEST(ExplanationTest, ADeclaredDistroIsExplainedWithItsFilesAndItsArguments) {
  Site site;
  site.sample.DeclareKernel("installer", "installer/linux",
                            {"installer/initrd", "http://boot.example/firmware"},
                            "auto url=${mirror:-http://x} name=${host}");
  site.sample.SetFiles({"installer/initrd", "installer/linux"});
  site.sample.catalog.files[1].size = 8'000'000;
  Host host = site.Node1();
  host.distro = D("installer");
  site.Put(host);
  const v1::ExplainResponse response = site.Explain();
  EXPECT_EQ(response.sentences(0), "host \"node1\" boots installer: it is assigned to it");
  EXPECT_EQ(response.verdict(), v1::VERDICT_GOOD);
  EXPECT_EQ(response.decision().outcome(), v1::OUTCOME_BOOT);
  EXPECT_EQ(response.decision().distro(), "installer");
  ASSERT_EQ(response.command_line_words_size(), 3);
  EXPECT_EQ(response.command_line_words(1).text(), "url=http://x");
  EXPECT_EQ(response.command_line_words(1).template_text(), "url=${mirror:-http://x}");
  ASSERT_EQ(response.variables_size(), 2);
  EXPECT_EQ(response.variables(0).name(), "host");
  EXPECT_EQ(response.variables(0).value(), "node1");
  EXPECT_EQ(response.variables(0).origin(), v1::VARIABLE_ORIGIN_BUILT_IN);
  EXPECT_EQ(response.variables(1).origin(), v1::VARIABLE_ORIGIN_TEMPLATE);
  ASSERT_EQ(response.files_size(), 3);
  EXPECT_EQ(response.files(0).role(), "kernel");
  EXPECT_EQ(response.files(0).path(), "/files/installer/linux");
  EXPECT_EQ(response.files(0).size(), 8'000'000);
  EXPECT_EQ(response.files(1).role(), "initrd");
  EXPECT_EQ(response.files(2).path(), "http://boot.example/firmware");
  EXPECT_EQ(response.files(2).size(), 0);
}

TEST(ExplanationTest, WhatIsChainedHasNoCommandLine) {
  Site site;
  site.sample.DeclareChain("netboot", "https://boot.example/");
  Host host = site.Node1();
  host.distro = D("netboot");
  site.Put(host);
  const v1::ExplainResponse response = site.Explain();
  EXPECT_EQ(response.verdict(), v1::VERDICT_GOOD);
  EXPECT_EQ(response.command_line_words_size(), 0);
  ASSERT_EQ(response.files_size(), 1);
  EXPECT_EQ(response.files(0).role(), "chain");
  EXPECT_EQ(response.files(0).path(), "https://boot.example/");
}

TEST(ExplanationTest, WhatIsMadeOfUrlsOnlyIsKnownWithoutACatalog) {
  Site site;
  site.sample.DeclareChain("netboot", "https://boot.example/");
  Host host = site.Node1();
  host.distro = D("netboot");
  site.Put(host);
  ExplainedAgent agent = ExplainedOf(site.sample, kNow);
  agent.catalog = nullptr;
  agent.entry.catalog_at.reset();
  const v1::ExplainResponse response = site.Explain(agent);
  EXPECT_EQ(response.decision().outcome(), v1::OUTCOME_BOOT);
  ASSERT_EQ(response.files_size(), 1);
  EXPECT_EQ(response.files(0).path(), "https://boot.example/");
  EXPECT_EQ(response.files(0).size(), 0);
}

TEST(ExplanationTest, ADeclaredDistroWithoutItsFileIsBad) {
  Site site;
  site.sample.DeclareChain("netboot", "netboot.efi");
  Host host = site.Node1();
  host.distro = D("netboot");
  site.Put(host);
  const v1::ExplainResponse response = site.Explain();
  EXPECT_EQ(response.verdict(), v1::VERDICT_BAD);
  EXPECT_EQ(response.decision().outcome(), v1::OUTCOME_MISSING);
  EXPECT_THAT(*response.sentences().rbegin(), HasSubstr("netboot.efi"));
  EXPECT_EQ(response.files_size(), 0);
}

TEST(ExplanationTest, AHostForWhichNothingIsAssignedIsToBeAssignedSomething) {
  Site site;
  site.sample.settings.default_distro.reset();
  const v1::ExplainResponse response = site.Explain("52:54:00:00:00:99");
  EXPECT_EQ(response.verdict(), v1::VERDICT_DOUBTFUL);
  EXPECT_THAT(response.sentences(0), StartsWith("mac \"52:54:00:00:00:99\" boots menu"));
  EXPECT_EQ(response.advice(),
            "assign what it is to boot: autopxectl assign 52:54:00:00:00:99 DISTRO");
  EXPECT_FALSE(response.decision().known());
}

TEST(ExplanationTest, HowTheAgentStandsIsSaidAndJudged) {
  Site site;
  ExplainedAgent agent = ExplainedOf(site.sample, kNow);
  agent.condition.state = v1::AGENT_STATE_BEHIND;
  agent.condition.reasons = {"gravest", "least"};
  agent.lag = 1;
  const v1::ExplainResponse response = site.Explain(agent);
  EXPECT_EQ(response.agent_state(), v1::AGENT_STATE_BEHIND);
  EXPECT_EQ(response.verdict(), v1::VERDICT_DOUBTFUL);
  EXPECT_THAT(response.advice(), HasSubstr("wait a moment"));
  EXPECT_EQ(*response.sentences().rbegin(), "agent \"lab\": gravest");
  EXPECT_TRUE(response.agent_connected());
  EXPECT_TRUE(response.has_catalog());
  EXPECT_EQ(response.time().seconds() - response.catalog_time().seconds(), 300);
}

TEST(ExplanationTest, WithoutACatalogItSaysNeitherThatAKernelIsThereNorThatItIsNot) {
  Site site;
  ExplainedAgent agent = ExplainedOf(site.sample, kNow);
  agent.catalog = nullptr;
  agent.entry.catalog_at.reset();
  const v1::ExplainResponse response = site.Explain(agent);
  EXPECT_EQ(response.decision().outcome(), v1::OUTCOME_UNSPECIFIED);
  EXPECT_FALSE(response.has_catalog());
  EXPECT_FALSE(response.has_catalog_time());
  EXPECT_EQ(response.verdict(), v1::VERDICT_DOUBTFUL);
  EXPECT_THAT(response.sentences(),
              ElementsAre("host \"node1\" boots debian/bookworm/latest/overlayfs: it is assigned "
                          "to it"));
}

}  // namespace
}  // namespace autopxe::server
