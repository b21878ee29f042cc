// What the server explains and what an agent serves never differ: random configurations, whole
// agents that listen in different ways and offer different kernels, and each host's script asked
// for by both protocols, byte for byte.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "common/runtime/logging.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/model/explained_site.h"
#include "tests/model/random_configuration.h"
#include "tests/model/random_request.h"

namespace autopxe::tests {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint64_t kSeed = 20261129;
constexpr int kRounds = 40;
constexpr char kStandIn[] = "192.0.2.1";

using OneAgent = ExplainedSite::OneAgent;

class ExplainTest : public testing::Test {
 protected:
  // What was explained says more than thousands of lines would.
  static void SetUpTestSuite() { SetLogLevel(LogLevel::kError); }

  ExplainTest() {
    for (const OneAgent& one : site_.agents()) ids_.push_back(one.id);
  }

  void Configure() {
    PlainConfiguration next = RandomConfiguration(random_, ids_);
    site_.Apply(BatchOf(configuration_, next, absl::Now()));
    configuration_ = std::move(next);
  }

  v1::ExplainResponse Explain(const std::string& mac, const std::string& agent, bool by_http,
                              const std::string& asked_at) {
    v1::ExplainRequest request;
    request.set_host(mac);
    request.set_agent_id(agent);
    request.set_by_http(by_http);
    request.set_asked_at(asked_at);
    return site_.Explain(request);
  }

  static std::string Served(const OneAgent& one, const std::string& mac, bool by_http,
                            const std::string& asked_at, bool is_ignored) {
    const std::string path = absl::StrCat("autopxe-", absl::StrReplaceAll(mac, {{":", ""}}));
    if (by_http) return ExplainedSite::ByHttp(one, asked_at, path);
    // To wait for no answer would take as long as a client's patience.
    return is_ignored ? "" : ExplainedSite::ByTftp(one, asked_at, path);
  }

  void Compare(const OneAgent& one, const std::string& mac, bool by_http) {
    SCOPED_TRACE(absl::StrCat(mac, " at ", one.id, by_http ? " by HTTP" : " by TFTP"));
    const std::string& asked_at = random_.Of(one.asked_at);
    const v1::ExplainResponse explained =
        Explain(mac, one.id, by_http, one.says_where ? "" : asked_at);
    const std::string distro = NaiveDistro(configuration_, one.id, mac);
    EXPECT_EQ(explained.decision().distro(), distro);
    if (NaivelyLacks(configuration_, distro, one.lacks)) {
      EXPECT_EQ(explained.decision().outcome(), v1::OUTCOME_MISSING) << distro;
      ++lacked_;
    }
    EXPECT_EQ(explained.agent_state(), v1::AGENT_STATE_CURRENT);
    EXPECT_THAT(explained.script_doubts(), IsEmpty());
    const bool is_ignored = explained.decision().outcome() == v1::OUTCOME_IGNORE;
    const std::string served = Served(one, mac, by_http, asked_at, is_ignored);
    EXPECT_EQ(explained.script(), served);
    EXPECT_EQ(served.empty(), is_ignored);
    ++compared_;
    if (explained.decision().outcome() == v1::OUTCOME_BOOT) {
      ++(configuration_.declared.count(distro) > 0 ? declared_ : booted_);
    }
    if (one.says_where) return;
    const v1::ExplainResponse unsaid = Explain(mac, one.id, by_http, "");
    EXPECT_EQ(absl::StrReplaceAll(unsaid.script(), {{kStandIn, asked_at}}), served);
    if (unsaid.script() != served) EXPECT_THAT(unsaid.script_doubts(), Not(IsEmpty()));
  }

  // At the agent that the server chooses for the host.
  void CompareChosen(const std::string& mac) {
    SCOPED_TRACE(mac);
    const v1::ExplainResponse explained = Explain(mac, "", true, "127.0.0.1");
    for (const OneAgent& one : site_.agents()) {
      if (one.id != explained.decision().agent_id()) continue;
      const bool is_ignored = explained.decision().outcome() == v1::OUTCOME_IGNORE;
      EXPECT_EQ(explained.script(), Served(one, mac, true, "127.0.0.1", is_ignored));
    }
    EXPECT_EQ(explained.agents_alike() + explained.agents_different(), 2);
    EXPECT_EQ(explained.elsewhere_size(), explained.agents_different());
    for (const v1::Decision& elsewhere : explained.elsewhere()) {
      EXPECT_EQ(elsewhere.distro(), NaiveDistro(configuration_, elsewhere.agent_id(), mac));
    }
  }

  void CompareAll() {
    for (const OneAgent& one : site_.agents()) {
      for (int i = 0; i < 3; ++i) {
        const std::string mac = random_.Of(macs_);
        for (const bool by_http : {false, true}) Compare(one, mac, by_http);
      }
    }
    CompareChosen(random_.Of(macs_));
  }

  // A host that has a next boot does it.
  void UseNextBoot() {
    for (PlainConfiguration::Host& host : configuration_.hosts) {
      if (host.next.empty()) continue;
      const std::string& mac = host.macs.front();
      const int64_t token = site_.GetHost(mac).next_boot().token();
      const OneAgent& one = random_.Of(agents());
      ExplainedSite::ByHttp(
          one, "127.0.0.1",
          absl::StrCat("next/", absl::StrReplaceAll(mac, {{":", "-"}}), "/", token, "/begun"));
      site_.AwaitUse(mac);
      host.next.clear();
      ++used_;
      return;
    }
  }

  const std::vector<OneAgent>& agents() { return site_.agents(); }

  Random random_{kSeed};
  ExplainedSite site_;
  std::vector<std::string> ids_;
  const std::vector<std::string> macs_ = PlainMacs();
  PlainConfiguration configuration_;
  int compared_ = 0;
  int booted_ = 0;    // A scanned kernel,
  int declared_ = 0;  // or a declared distro.
  int lacked_ = 0;
  int used_ = 0;
};

TEST_F(ExplainTest, WhatIsExplainedIsWhatTheAgentServesAndWhatTheRulesSay) {
  for (int round = 0; round < kRounds && !HasFailure(); ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", round ", round));
    if (round == kRounds / 2) {
      OneAgent& far = site_.agents()[1];
      far.tree->AddKernel("debian/bookworm", "6.1.0-26-amd64");
      far.running->Rescan();
      site_.AwaitKernels(far.id, 2);
    }
    Configure();
    CompareAll();
    if (round % 4 == 0 && !HasFailure()) {
      UseNextBoot();
      CompareAll();
    }
  }
  EXPECT_GT(compared_, 500);
  EXPECT_GT(booted_, 50);
  EXPECT_GT(declared_, 25);
  EXPECT_GT(lacked_, 10);
  EXPECT_GT(used_, 3);
}

}  // namespace
}  // namespace autopxe::tests
