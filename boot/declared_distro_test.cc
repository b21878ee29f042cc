// What hosts do whose distro is a declared one: the scripts that they get, played.
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/boot.h"
#include "boot/golden.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_play.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using End = IpxeInterpreter::End;
using Screen = IpxeInterpreter::Screen;

constexpr char kMac[] = "52:54:00:12:34:56";
constexpr char kBegun[] = "next/52-54-00-12-34-56/17/begun";

// A kernel alone, one of a mirror with an initrd of the agent's before its own, a script of a
// mirror, and a program of the agent's.
Sample Declaring() {
  Sample sample;
  sample.SetFiles({"d-i/firmware.cpio.gz", "fw/update.efi", "memtest/mt86+.bin"});
  sample.DeclareKernel("installer", "http://mirror.example/linux?x=1&y=%2f",
                       {"d-i/firmware.cpio.gz", "http://mirror.example/initrd.gz"},
                       "auto hostname=${host} console=${console:-ttyS0} url=${preseed}");
  sample.DeclareChain("menu2", "https://mirror.example:8443/boot.ipxe");
  sample.DeclareKernel("memtest", "memtest/mt86+.bin", {}, "");
  sample.DeclareChain("update", "fw/update.efi", Architecture::kX86_64);
  sample.settings.variables = VariablesOf({{"preseed", "http://10.77.0.1/p"}});
  return sample;
}

// The script of a host that is assigned `distro`, or which boots it once.
std::string Script(Sample sample, absl::string_view distro, Transport transport = Transport::kHttp,
                   Stage stage = Stage::kPoll, bool next = false) {
  sample.AddHost("node2", kMac, next ? "local" : distro);
  if (next) {
    Host host = *sample.hosts.back();
    host.next = NextBoot{*Distro::Parse(distro), 17};
    sample.hosts.back() = std::make_shared<const Host>(host);
  }
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kMac, transport, stage),
              absl::UnixEpoch())
      .script;
}

std::string NextScript(const Sample& sample, absl::string_view distro,
                       Transport transport = Transport::kHttp) {
  return Script(sample, distro, transport, Stage::kPoll, true);
}

TEST(DeclaredDistroTest, IsRenderedAsAgreed) {
  EXPECT_TRUE(
      IsGolden(Script(Declaring(), "installer", Transport::kHttp, Stage::kStart), "declared.ipxe"));
  EXPECT_TRUE(IsGolden(Script(Declaring(), "update", Transport::kTftp, Stage::kStart, true),
                       "declared_next_chain.ipxe"));
}

TEST(DeclaredDistroTest, AKernelAloneBootsWithoutAnInitrd) {
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, Script(Declaring(), "memtest"));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_EQ(result.uri, "/files/memtest/mt86%2B.bin");
  EXPECT_THAT(result.initrds, IsEmpty());
  EXPECT_EQ(result.arguments, "");
  EXPECT_THAT(result.requests, SizeIs(1));
}

TEST(DeclaredDistroTest, SeveralInitrdsAreLoadedInTheirOrderAndEachIsNamed) {
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, Script(Declaring(), "installer"));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_EQ(result.uri, "http://mirror.example/linux?x=1&y=%2f");
  EXPECT_THAT(result.initrds,
              ElementsAre("/files/d-i/firmware.cpio.gz", "http://mirror.example/initrd.gz"));
  EXPECT_THAT(result.initrd_names, ElementsAre("initrd1.img", "initrd2.img"));
  EXPECT_EQ(result.arguments,
            "initrd=initrd1.img initrd=initrd2.img auto hostname=node2 console=ttyS0 "
            "url=http://10.77.0.1/p");
  EXPECT_THAT(result.echoed, Contains("Distro: installer"));
}

TEST(DeclaredDistroTest, OneInitrdHasTheNameThatItAlwaysHad) {
  Sample sample;
  sample.SetFiles({"i", "k"});
  sample.DeclareKernel("one", "k", {"i"}, "quiet");
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, Script(sample, "one"));
  EXPECT_THAT(result.initrd_names, ElementsAre("initrd.img"));
  EXPECT_EQ(result.arguments, "initrd=initrd.img quiet");
}

TEST(DeclaredDistroTest, WhatIsChainedTakesTheScriptsPlace) {
  for (const auto& [name, uri] :
       std::map<std::string, std::string>{{"menu2", "https://mirror.example:8443/boot.ipxe"},
                                          {"update", "/files/fw/update.efi"}}) {
    IpxeInterpreter ipxe;
    const auto result = Play(ipxe, Script(Declaring(), name));
    EXPECT_EQ(result.end, End::kChained);
    EXPECT_EQ(result.uri, uri);
    EXPECT_THAT(result.requests, ElementsAre(uri));
    EXPECT_THAT(result.echoed, Not(Contains(HasSubstr("Command line"))));
  }
}

TEST(DeclaredDistroTest, TheAgentsFilesComeByTftpWhereHttpFails) {
  for (const char* name : {"memtest", "update"}) {
    IpxeInterpreter ipxe;
    ipxe.serves = [](const std::string& uri) { return absl::StartsWith(uri, "tftp:"); };
    const auto result = Play(ipxe, Script(Declaring(), name, Transport::kTftp));
    EXPECT_THAT(result.uri, HasSubstr("tftp://10.77.0.1/files/"));
    EXPECT_THAT(result.requests, SizeIs(2));
    EXPECT_EQ(result.milliseconds, 0);
  }
}

TEST(DeclaredDistroTest, AnAgentWithoutHttpServesItsFilesByTftp) {
  Sample sample = Declaring();
  sample.agent.http_port = 0;
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, Script(sample, "installer", Transport::kTftp));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.initrds, ElementsAre("tftp://10.77.0.1/files/d-i/firmware.cpio.gz",
                                          "http://mirror.example/initrd.gz"));
}

TEST(DeclaredDistroTest, AUrlThatFailsIsTriedFourTimesAndThenTheMenuComes) {
  for (const char* name : {"installer", "menu2"}) {
    IpxeInterpreter ipxe;
    ipxe.serves = [](const std::string& uri) { return !absl::StrContains(uri, "mirror.example"); };
    const auto result = Play(ipxe, Script(Declaring(), name));
    ASSERT_THAT(result.screens, SizeIs(1));
    EXPECT_THAT(result.screens[0].items[0].text,
                HasSubstr(absl::StrCat("Loading ", name, " failed 4 times.")));
    size_t tried = 0;
    for (const std::string& uri : result.requests) {
      if (absl::StrContains(uri, "mirror.example")) ++tried;
      EXPECT_THAT(uri, Not(HasSubstr("tftp:")));
    }
    EXPECT_EQ(tried, 4u) << name;
    // And then the agent is asked.
    EXPECT_EQ(result.end, End::kChained);
    EXPECT_THAT(result.uri, HasSubstr("stage=poll"));
  }
}

// What an earlier round loaded must not be handed over twice.
TEST(DeclaredDistroTest, ASecondRoundBeginsAnew) {
  IpxeInterpreter ipxe;
  int asked = 0;
  ipxe.serves = [&](const std::string& uri) {
    return !absl::StrContains(uri, "linux") || ++asked == 2;
  };
  const auto result = Play(ipxe, Script(Declaring(), "installer"));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.initrds, SizeIs(2));
}

TEST(DeclaredDistroTest, ANextBootFromTheAgentsFilesIsUsedUpByTheFileThatStarts) {
  for (const auto& [name, path] : std::map<std::string, std::string>{
           {"memtest", "files/memtest/mt86%2B.bin"}, {"update", "files/fw/update.efi"}}) {
    IpxeInterpreter ipxe;
    const auto result = Play(ipxe, NextScript(Declaring(), name));
    EXPECT_EQ(result.uri, absl::StrCat("/next/52-54-00-12-34-56/17/", path));
    EXPECT_THAT(result.requests, ElementsAre(result.uri));
  }
}

TEST(DeclaredDistroTest, ANextBootFromAUrlIsToldOnceEverythingIsLoaded) {
  IpxeInterpreter ipxe;
  auto result = Play(ipxe, NextScript(Declaring(), "installer"));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.requests,
              ElementsAre("/files/d-i/firmware.cpio.gz", "http://mirror.example/initrd.gz",
                          "http://mirror.example/linux?x=1&y=%2f", absl::StrCat("/", kBegun)));
  // Nothing but its initrds reaches the kernel.
  EXPECT_THAT(result.initrds, SizeIs(2));
  result = Play(ipxe, NextScript(Declaring(), "menu2"));
  EXPECT_EQ(result.end, End::kChained);
  EXPECT_THAT(result.requests,
              ElementsAre("https://mirror.example:8443/boot.ipxe", absl::StrCat("/", kBegun)));
}

TEST(DeclaredDistroTest, ANextBootFromAUrlIsToldByTftpWhereHttpFails) {
  for (const char* name : {"installer", "menu2"}) {
    IpxeInterpreter ipxe;
    ipxe.serves = [](const std::string& uri) { return !absl::StrContains(uri, "8080/next/"); };
    const auto result = Play(ipxe, NextScript(Declaring(), name, Transport::kTftp));
    EXPECT_EQ(result.requests.back(), absl::StrCat("tftp://10.77.0.1/", kBegun));
    EXPECT_TRUE(result.end == End::kBooted || result.end == End::kChained);
    EXPECT_THAT(result.uri, HasSubstr("mirror.example"));
    EXPECT_THAT(result.screens, IsEmpty());
  }
}

// An installer that runs twice is worse than one that waits.
TEST(DeclaredDistroTest, ANextBootFromAUrlDoesNotBeginIfTheAgentCanNotBeTold) {
  for (const char* name : {"installer", "menu2"}) {
    IpxeInterpreter ipxe;
    ipxe.serves = [](const std::string& uri) { return !absl::EndsWith(uri, "/begun"); };
    const auto result = Play(ipxe, NextScript(Declaring(), name));
    EXPECT_THAT(result.uri, HasSubstr("stage=poll")) << name;
    ASSERT_THAT(result.screens, SizeIs(1));
    EXPECT_THAT(result.screens[0].items[0].text, HasSubstr("failed 4 times"));
  }
}

TEST(DeclaredDistroTest, WhatFailsToLoadUsesNoNextBootUp) {
  IpxeInterpreter ipxe;
  ipxe.serves = [](const std::string& uri) { return !absl::StrContains(uri, "linux"); };
  const auto result = Play(ipxe, NextScript(Declaring(), "installer"));
  EXPECT_THAT(result.requests, Each(Not(HasSubstr("next/"))));
}

// A mirror that answers with a page of its own, with status 200.
TEST(DeclaredDistroTest, WhatIpxeCanNotExecuteUsesNoNextBootUp) {
  for (const char* name : {"installer", "menu2"}) {
    IpxeInterpreter ipxe;
    ipxe.executes = [](const std::string& uri) {
      return !absl::StrContains(uri, "mirror.example");
    };
    const auto result = Play(ipxe, NextScript(Declaring(), name));
    EXPECT_THAT(result.requests, Each(Not(HasSubstr("next/")))) << name;
    ASSERT_THAT(result.screens, SizeIs(1));
    EXPECT_THAT(result.screens[0].items[0].text, HasSubstr("failed 4 times"));
  }
}

TEST(DeclaredDistroTest, AnEntryChosenByHandTellsNothing) {
  for (const char* name : {"installer", "menu2", "memtest"}) {
    IpxeInterpreter ipxe;
    ipxe.choose = [&](const Screen&) { return absl::StrCat("declared/", name); };
    const auto result =
        Play(ipxe, Script(Declaring(), "installer", Transport::kHttp, Stage::kStart, true));
    EXPECT_TRUE(result.end == End::kBooted || result.end == End::kChained) << name;
    EXPECT_THAT(result.requests, Each(Not(HasSubstr("next/"))));
  }
}

TEST(DeclaredDistroTest, TheMenuOffersThemAfterTheScannedOnes) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("platform", "efi", true);
  ipxe.SetOwn("buildarch", "arm64", true);
  ipxe.choose = [](const Screen&) { return "reboot"; };
  const auto texts = [&] {
    const auto result = Play(ipxe, Script(Declaring(), "menu"));
    std::vector<std::string> shown;
    for (const IpxeInterpreter::Item& item : result.screens.at(0).items) {
      shown.push_back(item.text);
    }
    return shown;
  };
  EXPECT_THAT(texts(), ElementsAre("[0] Ask the agent again what to boot", "", "[1] debian ...",
                                   "[2] installer", "[3] memtest", "[4] menu2", "",
                                   "[c] Configure settings", "[s] iPXE shell", "[r] Reboot",
                                   "[x] Exit iPXE and continue with the local boot"));
  ipxe.SetOwn("buildarch", "x86_64", true);
  EXPECT_THAT(texts(), Contains("[5] update"));
}

TEST(DeclaredDistroTest, OneForAnotherArchitectureIsNotBootedAndTheScreenSaysWhy) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("platform", "efi", true);
  ipxe.SetOwn("buildarch", "arm64", true);
  const auto result = Play(ipxe, NextScript(Declaring(), "update"));
  EXPECT_THAT(result.requests, Each(Not(HasSubstr("files/"))));
  EXPECT_THAT(result.echoed, Contains(HasSubstr("update is for x86_64, and this host is arm64.")));
}

TEST(DeclaredDistroTest, AScannedKernelBootsAfterADeclaredDistroFailed) {
  IpxeInterpreter ipxe;
  ipxe.serves = [](const std::string& uri) { return !absl::StrContains(uri, "mirror.example"); };
  ipxe.choose = [](const Screen& screen) {
    return screen.title == "debian" ? "debian/bookworm/latest/nfsrw" : "debian/";
  };
  Sample sample = Declaring();
  sample.settings.variables = VariablesOf({{"nfs-server", "10.0.0.1"}, {"preseed", "x"}});
  auto result = Play(ipxe, Script(sample, "installer"));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.uri, HasSubstr("/boot/debian/"));
  // Also at once, by a later script.
  IpxeInterpreter other;
  Play(other, Script(sample, "memtest"));
  EXPECT_NE(other.Show("_load"), "");
  result = Play(other, Script(sample, "debian/bookworm/latest/nfsrw"));
  EXPECT_THAT(result.uri, HasSubstr("/boot/debian/"));
}

TEST(DeclaredDistroTest, AnEntryThatTheHostLacksAVariableForSaysSo) {
  Sample sample = Declaring();
  sample.settings.variables.clear();
  IpxeInterpreter ipxe;
  int chosen = 0;
  ipxe.choose = [&](const Screen&) { return chosen++ == 0 ? "declared/installer" : "reboot"; };
  const auto result = Play(ipxe, Script(sample, "menu"));
  ASSERT_THAT(result.screens, SizeIs(2));
  EXPECT_EQ(result.screens[1].items[0].text,
            "Declared distro installer: it uses the variable \"preseed\", which has no value");
}

TEST(DeclaredDistroTest, AnEntryWhoseArgumentsNobodyCanUseSaysSo) {
  Sample sample;
  sample.DeclareKernel("odd", "http://x/k", {}, "root=${rootfs-path:-x}");
  IpxeInterpreter ipxe;
  int chosen = 0;
  ipxe.choose = [&](const Screen&) { return chosen++ == 0 ? "declared/odd" : "reboot"; };
  const auto result = Play(ipxe, Script(sample, "menu"));
  ASSERT_THAT(result.screens, SizeIs(2));
  EXPECT_EQ(result.screens[1].items[0].text,
            "Declared distro odd: it uses the variable \"rootfs-path\", which only a scanned "
            "distro has");
}

TEST(DeclaredDistroTest, OneOfWhoseFilesTheAgentLacksOneIsNotOffered) {
  Sample sample = Declaring();
  sample.SetFiles({"fw/update.efi", "memtest/mt86+.bin"});
  EXPECT_THAT(Script(sample, "menu"), Not(HasSubstr("declared/installer")));
  EXPECT_THAT(Script(sample, "menu"), HasSubstr("declared/memtest"));
}

// Names that are labels of the script's own, and all that a URL or a file's name may hold.
TEST(DeclaredDistroTest, OddNamesFilesAndUrlsArriveAsTheyAreAndDoNothingElse) {
  const std::vector<std::string> urls = {
      "http://x/&&/;/a",
      "http://x/a;b&&c?d;e&&f",
      "http://[fd00::1]:8080/[x]/(y)/!z/*'$",
      "http://x/$(reboot)/$$/%24%7Bmac%7D/%0Areboot?$",
      "tftp://10.0.0.1/-n/--key/%23/;",
  };
  const std::vector<std::string> files = {"!#'()*+,;=", "&&/||/;", "-n/--key",
                                          ":menu/#x",   "a?b&c",   "~/[x]@:^`|<>"};
  for (const char* name : {"menu2", "boot", "load", "chain", "begin", "failed", "shell", "reboot",
                           "next", "declared", "by_http", "start", "_load"}) {
    if (!DistroName::Parse(name).ok()) continue;
    Sample sample;
    sample.SetFiles(files);
    std::vector<std::string> initrds = files;
    initrds.insert(initrds.end(), urls.begin(), urls.end());
    sample.DeclareKernel(name, urls.back(), initrds, "\"a\" || reboot # ${host} 100%20");
    IpxeInterpreter ipxe;
    const auto result = Play(ipxe, Script(sample, name));
    ASSERT_EQ(result.end, End::kBooted) << name;
    EXPECT_EQ(result.uri, urls.back());
    ASSERT_THAT(result.initrds, SizeIs(initrds.size()));
    EXPECT_EQ(result.initrds[0], "/files/%21%23%27%28%29%2A%2B%2C%3B%3D");
    for (size_t i = 0; i < urls.size(); ++i) {
      EXPECT_EQ(result.initrds[files.size() + i], urls[i]);
    }
    EXPECT_TRUE(absl::EndsWith(result.arguments, " \"a\" || reboot # node2 100%20"));
  }
  for (const std::string& url : urls) {
    Sample sample;
    sample.DeclareChain("c", url);
    IpxeInterpreter ipxe;
    EXPECT_EQ(Play(ipxe, Script(sample, "c")).uri, url);
  }
}

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
