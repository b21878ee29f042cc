#include "server/services/explained_script.h"

#include <memory>
#include <string>

#include "absl/strings/str_replace.h"
#include "boot/boot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/explained_sample.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kNode1[] = "bc:24:11:b0:1a:de";
const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

HostQuestion Question(bool by_http) {
  return {.mac = MacAddress::Parse(kNode1).value(), .by_http = by_http};
}

// As the agent itself would.
std::string Served(const Sample& sample, bool by_http) {
  return Boot(*sample.Build(), sample.catalog, sample.agent,
              FactsOf(kNode1, by_http ? Transport::kHttp : Transport::kTftp), kNow)
      .script;
}

ExplainedScript Explain(const Sample& sample, const ExplainedAgent& agent, bool by_http = true) {
  return BuildExplainedScript(*sample.Build(), agent, Question(by_http), kNow);
}

// Listens on every address, and advertises none.
ExplainedAgent Anywhere(const Sample& sample) {
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  agent.entry.status->http_address.reset();
  agent.entry.status->tftp_address.reset();
  return agent;
}

TEST(ExplainedScriptTest, OfAnAgentThatHasToldAllItIsExact) {
  const Sample sample;
  for (const bool by_http : {false, true}) {
    const ExplainedScript script = Explain(sample, ExplainedOf(sample, kNow), by_http);
    EXPECT_EQ(script.script, Served(sample, by_http));
    EXPECT_THAT(script.doubts, IsEmpty());
  }
}

TEST(ExplainedScriptTest, WhereTheAddressIsNotKnownOneStandsForItAndTheLinesAreNamed) {
  Sample sample;
  for (const bool by_http : {false, true}) {
    const ExplainedScript script = Explain(sample, Anywhere(sample), by_http);
    EXPECT_EQ(absl::StrReplaceAll(script.script, {{"192.0.2.1", "10.77.0.1"}}),
              Served(sample, by_http));
    ASSERT_EQ(script.doubts.size(), 1u);
    EXPECT_THAT(script.doubts[0], AllOf(HasSubstr("\"set _tftp tftp://192.0.2.1/\""),
                                        HasSubstr("\"set agent-address 192.0.2.1\""),
                                        HasSubstr("agent \"lab\""), HasSubstr("--asked-at"),
                                        HasSubstr("--advertise"), Not(HasSubstr("command line"))));
    EXPECT_EQ(script.doubts[0].find("\"set _http http://192.0.2.1:8080/\"") != std::string::npos,
              !by_http);
  }
  sample.profiles["overlayfs"] = "at=${agent-address}";
  EXPECT_THAT(Explain(sample, Anywhere(sample)).doubts[0], HasSubstr("and in the command line"));
}

TEST(ExplainedScriptTest, WithTheAddressInTheQuestionItIsExact) {
  const Sample sample;
  HostQuestion question = Question(false);
  question.asked_at = IpAddress::Parse("10.77.0.1").value();
  const ExplainedScript script =
      BuildExplainedScript(*sample.Build(), Anywhere(sample), question, kNow);
  EXPECT_EQ(script.script, Served(sample, false));
  EXPECT_THAT(script.doubts, IsEmpty());
}

TEST(ExplainedScriptTest, WhatAnEarlierAgentDoesNotSayIsDoubted) {
  Sample sample;
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  agent.context.tftp_port = 0;
  EXPECT_THAT(Explain(sample, agent).doubts, ElementsAre(HasSubstr("has not said its ports")));
  agent.context.tftp_port = 69;
  agent.context.rootfs_folder = "";
  EXPECT_THAT(Explain(sample, agent).doubts, IsEmpty()) << "a prefix is set";
  sample.settings.rootfs_path_prefix.reset();
  EXPECT_THAT(Explain(sample, agent).doubts, ElementsAre(HasSubstr("rootfs-path-prefix")));
}

TEST(ExplainedScriptTest, AnotherRevisionIsAnotherScript) {
  const Sample sample;
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  agent.lag = 2;
  agent.entry.status->applied.number = 5;
  agent.condition.state = v1::AGENT_STATE_BEHIND;
  EXPECT_THAT(Explain(sample, agent).doubts,
              ElementsAre("it is that of revision 0, and agent \"lab\" has 5"));
  agent.condition.state = v1::AGENT_STATE_EMPTY;
  EXPECT_THAT(Explain(sample, agent).doubts,
              ElementsAre(StartsWith("agent \"lab\" has no configuration yet")));
}

TEST(ExplainedScriptTest, WithoutACatalogThereIsNoScriptThatWouldHoldIt) {
  Sample sample;
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  agent.catalog = nullptr;
  const ExplainedScript unknown = Explain(sample, agent);
  EXPECT_EQ(unknown.script, "");
  EXPECT_THAT(unknown.doubts, ElementsAre(HasSubstr("has not told yet what it offers")));
  sample.settings.default_distro = Distro::Wait();
  sample.hosts.clear();
  EXPECT_THAT(Explain(sample, agent).script, HasSubstr("waiting for something to boot"));
  EXPECT_THAT(Explain(sample, agent).doubts, IsEmpty());
}

TEST(ExplainedScriptTest, WhoIsAwayMayOfferSomethingElseByNow) {
  const Sample sample;
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  agent.entry.watches = 0;
  agent.entry.last_seen = kNow - absl::Hours(3);
  EXPECT_THAT(Explain(sample, agent).doubts, ElementsAre(HasSubstr("last heard of 3h0m ago")));
}

TEST(ExplainedScriptTest, WhoIsAwayMayHaveHadANextBootUsedUp) {
  Sample sample;
  Host host = *sample.hosts.front();
  host.next = NextBoot{.distro = Distro::Local(), .token = 3};
  sample.hosts = {std::make_shared<const Host>(host)};
  ExplainedAgent agent = ExplainedOf(sample, kNow);
  EXPECT_THAT(Explain(sample, agent).doubts, IsEmpty());
  agent.entry.watches = 0;
  agent.entry.last_seen = kNow - absl::Hours(3);
  EXPECT_THAT(Explain(sample, agent).doubts,
              ElementsAre("agent \"lab\" may have let the host use its next boot up without having "
                          "told: it was last heard of 3h0m ago"));
}

TEST(ExplainedScriptTest, AHostThatIsIgnoredGetsNothingForCertain) {
  Sample sample;
  sample.settings.default_distro = Distro::Ignore();
  sample.hosts.clear();
  ExplainedAgent agent = Anywhere(sample);
  agent.lag = 1;
  EXPECT_EQ(Explain(sample, agent).script, "");
  EXPECT_THAT(Explain(sample, agent).doubts, ElementsAre(HasSubstr("revision")));
}

}  // namespace
}  // namespace autopxe::server
