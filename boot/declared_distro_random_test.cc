// Hosts whose distro is declared at random, with what can't be fetched at random.
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_play.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using End = IpxeInterpreter::End;

constexpr char kMac[] = "52:54:00:12:34:56";

// Whatever is declared, and whatever can't be fetched: a host boots just what its decision says, or
// nothing, and the agent knows of every next boot.
TEST(DeclaredDistroTest, RandomOnesDoWhatTheDecisionSays) {
  std::mt19937 random(20261129);
  const auto pick = [&](size_t count) { return static_cast<size_t>(random() % count); };
  const std::vector<std::string> kFiles = {"a/k", "a/k+1", "b;c", "d", "e#f"};
  const auto file = [&]() -> std::string {
    if (pick(2) == 0) return kFiles[pick(kFiles.size())];
    return absl::StrCat(pick(2) == 0 ? "http" : "tftp", "://x.example/", pick(3),
                        ";&&?$=", pick(9));
  };
  int booted = 0;
  int chained = 0;
  int failed = 0;
  for (int round = 0; round < 600; ++round) {
    Sample sample;
    sample.settings.variables = VariablesOf({{"a", "x || y"}, {"b", "--c #"}});
    sample.SetFiles(kFiles);
    const bool is_chain = pick(3) == 0;
    std::vector<std::string> parts;
    const std::string first = file();
    if (is_chain) {
      sample.DeclareChain("d", first);
    } else {
      for (size_t count = pick(4) == 0 ? pick(17) : pick(3); count > 0; --count) {
        parts.push_back(file());
      }
      const char* const kArguments[] = {"", "${a}", "x=${b} ${none:-y}", "${distro} ${mac}",
                                        "${bootif} ${agent} ${agent-address} ${host}"};
      sample.DeclareKernel("d", first, parts, kArguments[pick(5)]);
    }
    const bool next = pick(2) == 0;
    const Stage stage = pick(2) == 0 ? Stage::kStart : Stage::kPoll;
    const Transport transport = pick(2) == 0 ? Transport::kHttp : Transport::kTftp;
    if (transport == Transport::kTftp && pick(4) == 0) sample.agent.http_port = 0;
    sample.AddHost("node2", kMac, "d");
    if (next) {
      Host host = *sample.hosts.back();
      host.next = NextBoot{*Distro::Parse("d"), 17};
      sample.hosts.back() = std::make_shared<const Host>(host);
    }
    const BootAnswer answer = Boot(*sample.Build(), sample.catalog, sample.agent,
                                   FactsOf(kMac, transport, stage), absl::UnixEpoch());
    ASSERT_EQ(answer.decision.outcome, Outcome::kBoot) << answer.decision.missing;
    ASSERT_NE(answer.decision.declared, nullptr);

    IpxeInterpreter ipxe;
    ipxe.max_steps = 20'000;
    bool told = false;
    const size_t trouble = pick(3) == 0 ? 2 + pick(4) : 1'000'000;
    ipxe.serves = [&](const std::string& uri) {
      if (absl::StrContains(uri, "stage=poll") || absl::EndsWith(uri, ".poll")) return true;
      if (pick(trouble) == 1) return false;
      told = told || absl::StrContains(uri, "next/52-54-00-12-34-56/17/");
      return true;
    };
    const auto result = Play(ipxe, answer.script);
    if (absl::StrContains(result.uri, "autopxe-")) {
      ++failed;
      continue;
    }
    ASSERT_EQ(result.end, is_chain ? End::kChained : End::kBooted) << answer.script;
    ++(is_chain ? chained : booted);
    EXPECT_EQ(told, next);
    const auto is_of = [](const std::string& uri, const std::string& text) {
      if (absl::StrContains(text, "://")) return uri == text;
      std::string encoded;
      for (const char c : text) {
        absl::StrAppend(&encoded, c == '+'   ? "%2B"
                                  : c == ';' ? "%3B"
                                  : c == '#' ? "%23"
                                             : std::string(1, c));
      }
      return absl::EndsWith(uri, absl::StrCat("/files/", encoded));
    };
    EXPECT_TRUE(is_of(result.uri, first)) << result.uri;
    if (is_chain) continue;
    ASSERT_EQ(result.initrds.size(), parts.size());
    std::string expected;
    for (size_t i = 0; i < parts.size(); ++i) {
      EXPECT_TRUE(is_of(result.initrds[i], parts[i])) << result.initrds[i];
      absl::StrAppend(&expected, "initrd=", result.initrd_names[i], " ");
    }
    EXPECT_EQ(result.arguments, expected + answer.decision.command_line);
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_GT(booted, 200);
  EXPECT_GT(chained, 100);
  EXPECT_GT(failed, 5);
}

}  // namespace
}  // namespace autopxe
