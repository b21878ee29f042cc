#include "boot/ipxe_host_script.h"

#include <memory>
#include <string>

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
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using End = IpxeInterpreter::End;

constexpr char kMac[] = "52:54:00:12:34:56";

// The script of a host that is assigned `distro`.
std::string Script(Sample sample, absl::string_view distro, Transport transport,
                   Stage stage = Stage::kStart) {
  sample.AddHost("node2", kMac, distro);
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kMac, transport, stage),
              absl::UnixEpoch())
      .script;
}

TEST(IpxeHostScriptTest, EveryOutcomeIsRenderedAsAgreed) {
  constexpr char kKernel[] = "debian/bookworm/latest/overlayfs";
  const struct {
    const char* golden;
    const char* distro;
    Transport transport;
    Stage stage;
  } kCases[] = {
      {"boot_by_http.ipxe", kKernel, Transport::kHttp, Stage::kStart},
      {"boot_by_tftp.ipxe", kKernel, Transport::kTftp, Stage::kStart},
      {"boot_after_waiting.ipxe", kKernel, Transport::kHttp, Stage::kPoll},
      {"local.ipxe", "local", Transport::kHttp, Stage::kStart},
      {"menu.ipxe", "menu", Transport::kHttp, Stage::kStart},
      {"wait.ipxe", "wait", Transport::kHttp, Stage::kStart},
      {"missing.ipxe", "debian/trixie/latest/overlayfs", Transport::kHttp, Stage::kStart},
  };
  for (const auto& c : kCases) {
    EXPECT_TRUE(IsGolden(Script(Sample(), c.distro, c.transport, c.stage), c.golden));
  }
}

// What node2 boots once before its standing distro, as revision 17 has it.
std::string NextScript(Sample sample, absl::string_view next, Transport transport,
                       Stage stage = Stage::kStart) {
  sample.AddHost("node2", kMac, "debian/bookworm/latest/nfsrw");
  Host host = *sample.hosts.back();
  host.next = NextBoot{*Distro::Parse(next), 17};
  sample.hosts.back() = std::make_shared<const Host>(host);
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kMac, transport, stage),
              absl::UnixEpoch())
      .script;
}

constexpr char kOverlay[] = "debian/bookworm/latest/overlayfs";
constexpr char kKernelPath[] = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
constexpr char kOnce[] = "next/52-54-00-12-34-56/17/";

TEST(IpxeHostScriptTest, ANextBootIsRenderedAsAgreed) {
  EXPECT_TRUE(IsGolden(NextScript(Sample(), kOverlay, Transport::kHttp), "next.ipxe"));
  EXPECT_TRUE(IsGolden(NextScript(Sample(), "local", Transport::kHttp), "next_local.ipxe"));
}

TEST(IpxeHostScriptTest, ANextBootFetchesItsKernelAloneByThePathThatUsesItUp) {
  for (const Stage stage : {Stage::kStart, Stage::kPoll}) {
    IpxeInterpreter ipxe;
    const auto result = Play(ipxe, NextScript(Sample(), kOverlay, Transport::kHttp, stage));
    EXPECT_EQ(result.end, End::kBooted);
    EXPECT_EQ(result.uri, absl::StrCat("/", kOnce, kKernelPath));
    EXPECT_THAT(result.initrds,
                ElementsAre("/boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64"));
    EXPECT_THAT(result.arguments, HasSubstr("rootovl"));
    EXPECT_THAT(result.screens, SizeIs(stage == Stage::kStart ? 1 : 0));
  }
}

TEST(IpxeHostScriptTest, ANextBootGoesByTftpWhereHttpFails) {
  IpxeInterpreter ipxe;
  ipxe.serves = [](const std::string& uri) { return absl::StartsWith(uri, "tftp:"); };
  const auto result = Play(ipxe, NextScript(Sample(), kOverlay, Transport::kTftp));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_EQ(result.uri, absl::StrCat("tftp://10.77.0.1/", kOnce, kKernelPath));
}

TEST(IpxeHostScriptTest, AnEntryChosenByHandUsesNoNextBootUp) {
  IpxeInterpreter ipxe;
  bool failed = false;
  // Even after the next boot was tried and did not load: its script came at Stage::kPoll.
  ipxe.serves = [&](const std::string& uri) {
    if (!absl::StrContains(uri, "next/")) return true;
    failed = true;
    return false;
  };
  ipxe.choose = [](const IpxeInterpreter::Screen& screen) {
    return screen.title == "debian" ? kOverlay : "debian/";
  };
  for (const Stage stage : {Stage::kStart, Stage::kPoll}) {
    const auto result = Play(ipxe, NextScript(Sample(), kOverlay, Transport::kHttp, stage));
    EXPECT_EQ(result.end, End::kBooted);
    EXPECT_EQ(result.uri, absl::StrCat("/", kKernelPath));
    EXPECT_EQ(failed, stage == Stage::kPoll);
  }
}

TEST(IpxeHostScriptTest, TheNextBootOfAnEarlierScriptIsGone) {
  for (const Stage stage : {Stage::kStart, Stage::kPoll}) {
    IpxeInterpreter ipxe;
    Play(ipxe, NextScript(Sample(), kOverlay, Transport::kHttp, Stage::kPoll));
    EXPECT_EQ(ipxe.Show("_once"), kOnce);
    const auto result = Play(ipxe, Script(Sample(), kOverlay, Transport::kHttp, stage));
    EXPECT_EQ(result.uri, absl::StrCat("/", kKernelPath));
  }
}

TEST(IpxeHostScriptTest, ANextBootOfAnotherArchitectureIsNamedAsWhatItIs) {
  Sample sample;
  for (auto& kernel : sample.catalog.distros[0].releases[0].kernels) {
    kernel.architecture = Architecture::kArm64;
  }
  IpxeInterpreter ipxe;
  ipxe.SetOwn("platform", "efi", true);
  ipxe.SetOwn("buildarch", "x86_64", true);
  const auto result = Play(ipxe, NextScript(sample, kOverlay, Transport::kHttp));
  EXPECT_THAT(result.echoed, Contains(HasSubstr(absl::StrCat(kOverlay, " is for arm64"))));
}

TEST(IpxeHostScriptTest, AHostThatGoesToItsDiskOnceTellsAndGoesThereAnyway) {
  const std::string by_http = absl::StrCat("http://10.77.0.1:8080/", kOnce, "begun");
  const std::string by_tftp = absl::StrCat("tftp://10.77.0.1/", kOnce, "begun");
  IpxeInterpreter ipxe;
  const std::string script = NextScript(Sample(), "local", Transport::kTftp);
  auto result = Play(ipxe, script);
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_THAT(result.requests, ElementsAre(by_http));
  ipxe.serves = [](const std::string&) { return false; };
  result = Play(ipxe, script);
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_THAT(result.requests, ElementsAre(by_http, by_tftp));
}

TEST(IpxeHostScriptTest, AMenuOfOneKernelIsSmall) {
  Sample sample;
  sample.profiles.erase("nfsrw");
  auto& kernels = sample.catalog.distros[0].releases[0].kernels;
  kernels.erase(kernels.begin() + 1, kernels.end());
  EXPECT_LT(Script(sample, "debian/bookworm/latest/overlayfs", Transport::kTftp).size(), 4096u);
  EXPECT_LT(Script(sample, "wait", Transport::kTftp).size(), 1400u);
}

TEST(IpxeHostScriptTest, AHostThatHasWaitedBootsAtOnce) {
  IpxeInterpreter ipxe;
  const auto result = Play(
      ipxe, Script(Sample(), "debian/bookworm/latest/overlayfs", Transport::kTftp, Stage::kPoll));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.screens, IsEmpty());
  EXPECT_EQ(result.milliseconds, 0);
}

TEST(IpxeHostScriptTest, AHostThatHasWaitedGetsItsMenuWhenItsLoadFails) {
  IpxeInterpreter ipxe;
  ipxe.serves = [](const std::string& uri) { return absl::StrContains(uri, "stage=poll"); };
  const auto result = Play(
      ipxe, Script(Sample(), "debian/bookworm/latest/overlayfs", Transport::kHttp, Stage::kPoll));
  ASSERT_THAT(result.screens, SizeIs(1));
  EXPECT_THAT(result.screens[0].items[0].text, HasSubstr("failed 4 times"));
  EXPECT_EQ(result.end, End::kChained);
}

TEST(IpxeHostScriptTest, AHostOnWaitShowsItsMacAndAsksWithinSeconds) {
  for (const Stage stage : {Stage::kStart, Stage::kPoll}) {
    IpxeInterpreter ipxe;
    const auto result = Play(ipxe, Script(Sample(), "wait", Transport::kTftp, stage));
    EXPECT_THAT(result.echoed,
                Contains("Host node2, MAC 52:54:00:12:34:56: waiting for something to boot."));
    EXPECT_EQ(result.end, End::kChained);
    EXPECT_EQ(result.uri,
              "http://10.77.0.1:8080/autopxe-525400123456?stage=poll&platform=&buildarch=");
    EXPECT_EQ(result.milliseconds, 4000);
  }
}

TEST(IpxeHostScriptTest, AHostOnLocalSaysSoAndLeavesIpxe) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("platform", "efi", true);
  const auto result = Play(ipxe, Script(Sample(), "local", Transport::kTftp));
  EXPECT_EQ(result.end, End::kExited);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.echoed,
              ElementsAre("Host node2, MAC 52:54:00:12:34:56.", "Going on with the local disk."));
}

TEST(IpxeHostScriptTest, AHostOnMenuStaysInItsMenu) {
  for (const Stage stage : {Stage::kStart, Stage::kPoll}) {
    IpxeInterpreter ipxe;
    ipxe.choose = [](const auto&) { return "reboot"; };
    const auto result = Play(ipxe, Script(Sample(), "menu", Transport::kTftp, stage));
    ASSERT_THAT(result.screens, SizeIs(1));
    EXPECT_EQ(result.screens[0].timeout_ms, 0);
    EXPECT_EQ(result.screens[0].items[0].text, "[0] Ask the agent again what to boot");
  }
}

TEST(IpxeHostScriptTest, AHostWhoseDistroIsMissingSaysWhyAndAsksAgain) {
  IpxeInterpreter ipxe;
  const auto result =
      Play(ipxe, Script(Sample(), "debian/trixie/latest/overlayfs", Transport::kHttp));
  EXPECT_THAT(result.echoed,
              Contains("MAC 52:54:00:12:34:56: Host node2 should boot "
                       "debian/trixie/latest/overlayfs, which is assigned to it, but agent \"lab\" "
                       "has no release trixie of debian; it has bookworm."));
  EXPECT_THAT(result.screens, IsEmpty());
  EXPECT_EQ(result.end, End::kChained);
  EXPECT_EQ(result.milliseconds, 15'000);
}

TEST(IpxeHostScriptTest, AKeyOpensTheMenuOfAHostWhoseDistroIsMissing) {
  IpxeInterpreter ipxe;
  ipxe.presses = [](char key) { return key == 'm'; };
  ipxe.choose = [](const IpxeInterpreter::Screen& screen) {
    return screen.title == "debian" ? "debian/bookworm/latest/nfsrw" : "debian/";
  };
  const auto result =
      Play(ipxe, Script(Sample(), "debian/trixie/latest/overlayfs", Transport::kHttp));
  ASSERT_THAT(result.screens, SizeIs(2));
  EXPECT_EQ(result.screens[0].items[0].text,
            "debian/trixie/latest/overlayfs can't be booted here.");
  EXPECT_EQ(result.screens[0].timeout_ms, 300'000);
  EXPECT_EQ(result.end, End::kBooted);
}

TEST(IpxeHostScriptTest, AMessageAndAnAddressOfAnEarlierScriptAreGone) {
  IpxeInterpreter ipxe;
  Play(ipxe, Script(Sample(), "debian/trixie/latest/overlayfs", Transport::kTftp));
  EXPECT_NE(ipxe.Show("_message"), "");
  Sample sample;
  sample.agent.http_port = 0;
  Play(ipxe, Script(sample, "debian/bookworm/latest/overlayfs", Transport::kTftp));
  EXPECT_EQ(ipxe.Show("_message"), "");
  EXPECT_EQ(ipxe.Show("_http"), "");
}

TEST(IpxeHostScriptTest, AnIgnoredHostGetsNothing) {
  EXPECT_EQ(Script(Sample(), "ignore", Transport::kTftp), "");
}

TEST(IpxeHostScriptTest, AHostThatNobodyAssignedAnythingIsToldSo) {
  Sample sample;
  sample.settings.default_distro.reset();
  IpxeInterpreter ipxe;
  ipxe.choose = [](const auto&) { return "reboot"; };
  const auto result = Play(ipxe, Script(sample, "", Transport::kHttp));
  EXPECT_EQ(result.screens.at(0).items[0].text,
            "Nothing is assigned to this host, and there is no default.");
}

TEST(IpxeHostScriptTest, AnAgentWithoutConfigurationSaysSoAndIsAskedAgain) {
  const std::string script =
      RenderUnconfiguredScript(Sample().agent, FactsOf(kMac, Transport::kHttp));
  EXPECT_TRUE(IsGolden(script, "unconfigured.ipxe"));
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, script);
  EXPECT_THAT(result.echoed, Contains(HasSubstr(kMac)));
  EXPECT_EQ(result.uri, "/autopxe-525400123456?stage=poll&platform=&buildarch=");
}

}  // namespace
}  // namespace autopxe
