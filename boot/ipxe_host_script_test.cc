#include "boot/ipxe_host_script.h"

#include <string>

#include "absl/strings/match.h"
#include "boot/boot.h"
#include "boot/golden.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
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

IpxeInterpreter::Result Play(IpxeInterpreter& ipxe, const std::string& script) {
  const auto result = ipxe.Run(script);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : IpxeInterpreter::Result();
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
