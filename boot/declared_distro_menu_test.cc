// What the menu offers of declared distros, and why it can't boot one.
#include <string>
#include <vector>

#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "boot/test_declared_distro.h"
#include "boot/test_play.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

using Screen = IpxeInterpreter::Screen;

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

}  // namespace
}  // namespace autopxe
