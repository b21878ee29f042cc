#include "boot/ipxe_architecture.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "boot/boot.h"
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
using ::testing::Not;
using ::testing::SizeIs;

using End = IpxeInterpreter::End;
using Screen = IpxeInterpreter::Screen;

constexpr char kMac[] = "52:54:00:12:34:56";

// What iPXE says of a host.
struct Firmware {
  const char* platform;
  const char* build_arch;
};
constexpr Firmware kBios = {"pcbios", "i386"};
constexpr Firmware kEfi = {"efi", "x86_64"};
constexpr Firmware kArm = {"efi", "arm64"};
constexpr Firmware kSilent = {"", ""};

CatalogRelease ReleaseFor(absl::string_view name, Architecture architecture) {
  CatalogRelease release = ReleaseWith(name, "6.1");
  for (CatalogKernel& kernel : release.kernels) kernel.architecture = architecture;
  return release;
}

// debian: bookworm for x86, trixie for arm64; own: for x86; pi: for arm64; old: unknown.
Sample Mixed() {
  Sample sample;
  sample.profiles.erase("nfsrw");
  const auto x86 = Architecture::kX86_64;
  const auto arm = Architecture::kArm64;
  sample.catalog.distros = {
      {"debian", {ReleaseFor("bookworm", x86), ReleaseFor("trixie", arm)}},
      {"old", {ReleaseFor("one", Architecture::kUnknown)}},
      {"own", {ReleaseFor("one", x86)}},
      {"pi", {ReleaseFor("one", arm)}},
  };
  return sample;
}

std::string Script(Sample sample, absl::string_view distro, Stage stage = Stage::kStart) {
  sample.AddHost("node2", kMac, distro);
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kMac, Transport::kTftp, stage),
              absl::UnixEpoch())
      .script;
}

IpxeInterpreter::Result Play(const Firmware& firmware, const std::string& script,
                             std::vector<std::string> labels) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("platform", firmware.platform, true);
  ipxe.SetOwn("buildarch", firmware.build_arch, true);
  size_t next = 0;
  ipxe.choose = [&](const Screen&) -> absl::optional<std::string> {
    return next < labels.size() ? labels[next++] : "reboot";
  };
  const auto result = ipxe.Run(script);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *result : IpxeInterpreter::Result();
}

// The labels of a screen's entries that lead to kernels.
std::vector<std::string> Kernels(const Screen& screen) {
  std::vector<std::string> labels;
  for (const IpxeInterpreter::Item& item : screen.items) {
    if (absl::StrContains(item.label, "/")) labels.push_back(item.label);
  }
  return labels;
}

TEST(IpxeArchitectureTest, AHostIsOfferedWhatItCanRunAndWhatIsUnknown) {
  const std::string script = Script(Mixed(), "menu");
  const std::string x86 = "debian/bookworm/latest/overlayfs";
  const std::string arm = "debian/trixie/latest/overlayfs";
  const struct {
    Firmware firmware;
    std::vector<std::string> main;
    bool has_x86;
    bool has_arm;
  } kCases[] = {
      {kBios, {"debian/", "old/", "own/"}, true, false},
      {{"pcbios", "x86_64"}, {"debian/", "old/", "own/"}, true, false},
      {kEfi, {"debian/", "old/", "own/"}, true, false},
      // A 64-bit kernel is not for 32-bit UEFI.
      {{"efi", "i386"}, {"old/"}, false, false},
      {kArm, {"debian/", "old/", "pi/"}, false, true},
      {{"efi", "riscv64"}, {"old/"}, false, false},
      {kSilent, {"debian/", "old/", "own/", "pi/"}, true, true},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(testing::Message() << c.firmware.platform << " " << c.firmware.build_arch);
    auto result = Play(c.firmware, script, {});
    ASSERT_THAT(result.screens, SizeIs(1));
    EXPECT_EQ(Kernels(result.screens[0]), c.main);
    if (!c.has_x86 && !c.has_arm) continue;
    result = Play(c.firmware, script, {"debian/", "menu"});
    ASSERT_THAT(result.screens, SizeIs(3));
    const std::vector<std::string> offered = Kernels(result.screens[1]);
    EXPECT_EQ(std::count(offered.begin(), offered.end(), x86), c.has_x86);
    EXPECT_EQ(std::count(offered.begin(), offered.end(), arm), c.has_arm);
  }
}

TEST(IpxeArchitectureTest, A32BitKernelIsForEveryBiosHost) {
  Sample sample = Mixed();
  sample.catalog.distros = {{"debian", {ReleaseFor("bookworm", Architecture::kI386)}}};
  const std::string script = Script(sample, "menu");
  EXPECT_THAT(Kernels(Play(kBios, script, {}).screens.at(0)), ElementsAre("debian/"));
  EXPECT_THAT(Kernels(Play({"pcbios", "x86_64"}, script, {}).screens.at(0)),
              ElementsAre("debian/"));
  EXPECT_THAT(Kernels(Play({"efi", "i386"}, script, {}).screens.at(0)), ElementsAre("debian/"));
  EXPECT_THAT(Kernels(Play(kEfi, script, {}).screens.at(0)), IsEmpty());
}

TEST(IpxeArchitectureTest, AHostForWhichThereIsNothingIsToldSo) {
  Sample sample = Mixed();
  sample.catalog.distros.resize(1);
  const std::string script = Script(sample, "menu");
  const auto texts = [](const Screen& screen) {
    std::vector<std::string> result;
    for (const IpxeInterpreter::Item& item : screen.items) result.push_back(item.text);
    return result;
  };
  EXPECT_THAT(texts(Play({"efi", "riscv64"}, script, {}).screens.at(0)),
              Contains("This agent has no kernel for riscv64."));
  for (const Firmware& firmware : {kBios, kEfi, kArm, kSilent}) {
    EXPECT_THAT(texts(Play(firmware, script, {}).screens.at(0)),
                Not(Contains(HasSubstr("no kernel for"))));
  }
}

TEST(IpxeArchitectureTest, ADecisionForAnotherArchitectureIsToldAndTheMenuShown) {
  for (const Stage stage : {Stage::kStart, Stage::kPoll}) {
    const std::string script = Script(Mixed(), "debian/trixie/latest/overlayfs", stage);
    const auto result = Play(kBios, script, {});
    EXPECT_EQ(result.end, End::kRebooted);
    EXPECT_THAT(result.requests, IsEmpty());
    ASSERT_THAT(result.screens, SizeIs(1));
    const Screen& screen = result.screens[0];
    EXPECT_EQ(screen.items[0].text,
              "debian/trixie/latest/overlayfs is for arm64, and this host is i386.");
    EXPECT_EQ(screen.default_label, "ask");
    EXPECT_EQ(screen.timeout_ms, 60'000);
    EXPECT_THAT(Kernels(screen), ElementsAre("debian/", "old/", "own/"));
    EXPECT_THAT(result.echoed, Contains(HasSubstr("is for arm64")));
  }
}

TEST(IpxeArchitectureTest, ADecisionThatTheHostCanRunIsBooted) {
  const struct {
    Firmware firmware;
    const char* distro;
  } kCases[] = {{kBios, "debian/bookworm/latest/overlayfs"},
                {kEfi, "debian/bookworm/latest/overlayfs"},
                {kArm, "debian/trixie/latest/overlayfs"},
                {kArm, "old/one/latest/overlayfs"},
                {kSilent, "debian/trixie/latest/overlayfs"}};
  for (const auto& c : kCases) {
    EXPECT_EQ(Play(c.firmware, Script(Mixed(), c.distro, Stage::kPoll), {}).end, End::kBooted)
        << c.firmware.build_arch << " " << c.distro;
    EXPECT_EQ(Play(c.firmware, Script(Mixed(), c.distro), {c.distro}).end, End::kBooted);
  }
}

TEST(IpxeArchitectureTest, AMenuOfOneArchitectureIsHardlyLonger) {
  Sample sample;
  const std::string unknown = Script(sample, "debian/bookworm/latest/overlayfs");
  for (CatalogKernel& kernel : sample.catalog.distros[0].releases[0].kernels) {
    kernel.architecture = Architecture::kX86_64;
  }
  const std::string known = Script(sample, "debian/bookworm/latest/overlayfs");
  EXPECT_THAT(unknown, Not(HasSubstr("_skip_")));
  // Whatever the number of kernels: none has a condition of its own.
  EXPECT_LT(known.size(), unknown.size() + 600);
}

}  // namespace
}  // namespace autopxe
