// What uses a next boot of a declared distro up.
#include <map>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_declared_distro.h"
#include "boot/test_play.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

using End = IpxeInterpreter::End;
using Screen = IpxeInterpreter::Screen;

constexpr char kBegun[] = "next/52-54-00-12-34-56/17/begun";

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

}  // namespace
}  // namespace autopxe
