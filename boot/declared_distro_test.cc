// What hosts do whose distro is a declared one: the scripts that they get, played.
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/golden.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_declared_distro.h"
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

}  // namespace
}  // namespace autopxe
