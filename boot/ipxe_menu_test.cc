#include "boot/ipxe_menu.h"

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "boot/boot.h"
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
using Screen = IpxeInterpreter::Screen;

constexpr char kNode1[] = "bc:24:11:b0:1a:de";
constexpr char kCommandLine[] =
    "initrd=initrd.img root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm ip=dhcp "
    "rootovl";

std::string Script(const Sample& sample, Transport transport = Transport::kHttp) {
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kNode1, transport),
              absl::UnixEpoch())
      .script;
}

// Chooses these entries one after the other, then nothing more (the default, or Escape without
// one).
auto Choosing(std::vector<std::string> labels) {
  return [labels, next = size_t{0}](const Screen& screen) mutable -> absl::optional<std::string> {
    if (next < labels.size()) return labels[next++];
    if (screen.default_label.empty()) return absl::nullopt;
    return screen.default_label;
  };
}

std::vector<std::string> Texts(const Screen& screen) {
  std::vector<std::string> texts;
  for (const IpxeInterpreter::Item& item : screen.items) texts.push_back(item.text);
  return texts;
}

TEST(IpxeMenuTest, TheMainMenuIsInAFixedOrderWithTheDecisionFirst) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("ip", "10.77.0.10", false);
  const auto result = Play(ipxe, Script(Sample()));
  ASSERT_THAT(result.screens, SizeIs(1));
  const Screen& screen = result.screens[0];
  EXPECT_EQ(screen.title, "autopxe: bc:24:11:b0:1a:de 10.77.0.10 node1");
  EXPECT_THAT(Texts(screen),
              ElementsAre("[0] debian/bookworm/latest/overlayfs (assigned)", "", "[1] debian ...",
                          "", "[c] Configure settings", "[s] iPXE shell", "[r] Reboot",
                          "[x] Exit iPXE and continue with the local boot"));
  EXPECT_EQ(screen.default_label, "debian/bookworm/latest/overlayfs");
  EXPECT_EQ(screen.timeout_ms, 10'000);
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_EQ(result.arguments, kCommandLine);
  EXPECT_THAT(result.echoed, Contains("Distro: debian/bookworm/latest/overlayfs"));
  EXPECT_THAT(result.echoed, Contains("Command line: root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/"
                                      "debian/bookworm ip=dhcp rootovl"));
}

TEST(IpxeMenuTest, EveryEntryShowsItsKeyAndTheKeyIsItsOwn) {
  IpxeInterpreter ipxe;
  ipxe.choose = Choosing({"debian/", "menu"});
  for (const Screen& screen : Play(ipxe, Script(Sample())).screens) {
    for (const IpxeInterpreter::Item& item : screen.items) {
      if (item.label.empty()) continue;
      EXPECT_TRUE(absl::StartsWith(item.text, std::string("[") + item.key + "] ")) << item.text;
    }
  }
}

TEST(IpxeMenuTest, ADistrosEntryOpensItsSubMenuAndAnEntryOfItBoots) {
  IpxeInterpreter ipxe;
  ipxe.choose = Choosing({"debian/", "debian/bookworm/6.1.0-25-amd64/nfsrw"});
  const auto result = Play(ipxe, Script(Sample(), Transport::kTftp));
  ASSERT_THAT(result.screens, SizeIs(2));
  EXPECT_EQ(result.screens[1].title, "debian");
  EXPECT_THAT(Texts(result.screens[1]),
              ElementsAre("[1] bookworm/latest/nfsrw", "[2] bookworm/latest/overlayfs",
                          "[3] bookworm/6.1.0-25-amd64/nfsrw",
                          "[4] bookworm/6.1.0-25-amd64/overlayfs", "[b] Back"));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_EQ(result.uri, "http://10.77.0.1:8080/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64");
  EXPECT_THAT(
      result.initrds,
      ElementsAre("http://10.77.0.1:8080/boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64"));
  EXPECT_EQ(result.arguments,
            "initrd=initrd.img root=/dev/nfs nfsroot=172.25.2.11:/pxe/rootfs/debian/bookworm "
            "ip=dhcp rw");
}

TEST(IpxeMenuTest, BackAndEscapeReturnToAMenuThatWaits) {
  for (const bool escape : {false, true}) {
    IpxeInterpreter ipxe;
    int screens = 0;
    ipxe.choose = [&](const Screen&) -> absl::optional<std::string> {
      switch (++screens) {
        case 1:
          return "debian/";
        case 2:
          return escape ? absl::optional<std::string>() : "menu";
        case 3:
          return absl::nullopt;
        default:
          return "reboot";
      }
    };
    const auto result = Play(ipxe, Script(Sample()));
    ASSERT_THAT(result.screens, SizeIs(4));
    EXPECT_EQ(result.screens[2].title, result.screens[0].title);
    EXPECT_EQ(result.screens[2].timeout_ms, 0);
    EXPECT_EQ(result.end, End::kRebooted);
  }
}

TEST(IpxeMenuTest, TheToolsDoWhatTheySayAndComeBackToTheMenu) {
  IpxeInterpreter ipxe;
  ipxe.choose = Choosing({"config", "shell", "reboot"});
  const auto result = Play(ipxe, Script(Sample()));
  EXPECT_THAT(result.screens, SizeIs(3));
  EXPECT_EQ(result.shells, 1);
  EXPECT_EQ(result.end, End::kRebooted);
}

TEST(IpxeMenuTest, TheLocalBootLeavesIpxeAsTheFirmwareWantsIt) {
  for (const bool efi : {false, true}) {
    IpxeInterpreter ipxe;
    ipxe.SetOwn("platform", efi ? "efi" : "pcbios", true);
    ipxe.choose = Choosing({"local"});
    const auto result = Play(ipxe, Script(Sample()));
    EXPECT_EQ(result.end, End::kExited);
    EXPECT_EQ(result.exit_code, efi ? 1 : 0);
  }
}

TEST(IpxeMenuTest, AVariableChangedInTheShellCounts) {
  IpxeInterpreter ipxe;
  std::string script = Script(Sample());
  const std::string mine = "set nfs-server:uristring 172.25.2.11\n";
  const size_t place = script.find(mine);
  ASSERT_NE(place, std::string::npos);
  script.replace(place, mine.size(), "set nfs-server 10.0.0.9\n");
  EXPECT_THAT(Play(ipxe, script).arguments, HasSubstr("nfsroot=10.0.0.9:/pxe/rootfs/"));
}

TEST(IpxeMenuTest, HttpThatFailsIsFollowedByTftpAtOnceAndNothingIsLoadedTwice) {
  for (const char* broken : {"initrd.img", "vmlinuz"}) {
    IpxeInterpreter ipxe;
    ipxe.serves = [&](const std::string& uri) {
      return absl::StartsWith(uri, "tftp:") || !absl::StrContains(uri, broken);
    };
    const auto result = Play(ipxe, Script(Sample()));
    EXPECT_EQ(result.end, End::kBooted);
    EXPECT_EQ(result.uri, "tftp://10.77.0.1/boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64");
    EXPECT_THAT(
        result.initrds,
        ElementsAre("tftp://10.77.0.1/boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64"));
    EXPECT_EQ(result.arguments, kCommandLine);
    EXPECT_EQ(result.milliseconds, 3000);  // The look at the command line.
  }
}

TEST(IpxeMenuTest, WithoutHttpOnlyTftpIsTried) {
  Sample sample;
  sample.agent.http_port = 0;
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, Script(sample, Transport::kTftp));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.requests, SizeIs(2));
}

TEST(IpxeMenuTest, ALoadThatFailsIsRetriedWithBackOffThenEndsInAMenuThatSaysSoAndAsksTheAgent) {
  IpxeInterpreter ipxe;
  ipxe.serves = [](const std::string& uri) { return absl::StrContains(uri, "stage=poll"); };
  const auto result = Play(ipxe, Script(Sample()));
  ASSERT_THAT(result.screens, SizeIs(2));
  EXPECT_THAT(Texts(result.screens[1]),
              Contains("Loading debian/bookworm/latest/overlayfs failed 4 times."));
  EXPECT_EQ(result.screens[1].timeout_ms, 60'000);
  EXPECT_EQ(result.screens[1].items[1].text, "[0] Ask the agent again what to boot");
  EXPECT_EQ(result.milliseconds, 3000 + (2 + 4 + 8) * 1000);
  EXPECT_EQ(result.end, End::kChained);
  EXPECT_EQ(result.uri, "/autopxe-bc2411b01ade?stage=poll&platform=&buildarch=");
  EXPECT_THAT(result.requests, SizeIs(4 * 2 + 1));
}

TEST(IpxeMenuTest, ALoadThatWorksAgainIsBooted) {
  IpxeInterpreter ipxe;
  int requests = 0;
  ipxe.serves = [&](const std::string&) { return ++requests > 5; };
  const auto result = Play(ipxe, Script(Sample()));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_THAT(result.initrds, SizeIs(1));
  EXPECT_EQ(result.arguments, kCommandLine);
}

TEST(IpxeMenuTest, AProfileThatCanNotBeUsedSaysSoInTheMenu) {
  Sample sample;
  sample.profiles["broken"] = "x=${unset}";
  IpxeInterpreter ipxe;
  ipxe.choose = Choosing({"debian/", "debian/bookworm/latest/broken", "reboot"});
  const auto result = Play(ipxe, Script(sample));
  ASSERT_THAT(result.screens, SizeIs(3));
  EXPECT_EQ(result.screens[2].items[0].text,
            "Profile broken: it uses the variable \"unset\", which has no value");
}

TEST(IpxeMenuTest, AnEmptyCommandLineBoots) {
  Sample sample;
  sample.profiles["overlayfs"] = "";
  IpxeInterpreter ipxe;
  const auto result = Play(ipxe, Script(sample));
  EXPECT_EQ(result.end, End::kBooted);
  EXPECT_EQ(absl::StripAsciiWhitespace(result.arguments), "initrd=initrd.img");
}

TEST(IpxeMenuTest, ASettingOfIpxesOwnIsFilledInByIpxe) {
  Sample sample;
  sample.profiles["overlayfs"] =
      "ip=${ip} host=${hostname} mac=${mac} raw=${mac:hexraw} if=${net0/mac} s=${serial:string}";
  IpxeInterpreter ipxe;
  ipxe.SetOwn("ip", "10.77.0.10", false);
  ipxe.SetOwn("hostname", "50% b", true);
  ipxe.SetOwn("serial", "a b%41", true);
  ipxe.SetOwn("mac", "52:54:00:00:00:01", false);
  EXPECT_EQ(Play(ipxe, Script(sample)).arguments,
            "initrd=initrd.img ip=10.77.0.10 host=50% b mac=bc:24:11:b0:1a:de raw=525400000001 if= "
            "s=a b%41");
}

TEST(IpxeMenuTest, WithNothingToOfferTheMenuSaysSo) {
  Sample sample;
  sample.catalog.distros.clear();
  sample.settings.default_distro.reset();
  sample.hosts.clear();
  IpxeInterpreter ipxe;
  ipxe.choose = Choosing({"reboot"});
  const auto result = Play(ipxe, Script(sample));
  ASSERT_THAT(result.screens, SizeIs(1));
  EXPECT_THAT(Texts(result.screens[0]), Contains("This agent has no kernel to offer."));
}

}  // namespace
}  // namespace autopxe
