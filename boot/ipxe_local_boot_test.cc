#include "boot/ipxe_local_boot.h"

#include <string>

#include "boot/boot.h"
#include "boot/golden.h"
#include "boot/ipxe_interpreter.h"
#include "boot/sample.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using End = IpxeInterpreter::End;

constexpr char kMac[] = "52:54:00:12:34:56";

// The script of a host for which `local-boot` is `way`; empty: nobody has set it.
std::string Script(absl::string_view distro, absl::string_view way) {
  Sample sample;
  sample.AddHost("node2", kMac, distro);
  if (!way.empty()) {
    Host host = *sample.hosts.back();
    host.variables = VariablesOf({{"local-boot", std::string(way)}});
    sample.hosts.back() = std::make_shared<const Host>(host);
  }
  return Boot(*sample.Build(), sample.catalog, sample.agent, FactsOf(kMac, Transport::kHttp),
              absl::UnixEpoch())
      .script;
}

struct Left {
  End end;
  int exit_code;

  friend bool operator==(const Left&, const Left&) = default;
};

// How a host leaves that is assigned `distro`, with the entry for the local disk if it has a menu.
Left Leave(IpxeInterpreter& ipxe, absl::string_view distro, absl::string_view way) {
  ipxe.choose = [](const auto&) { return "local"; };
  const auto result = ipxe.Run(Script(distro, way));
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? Left{result->end, result->exit_code} : Left{End::kStopped, 0};
}

TEST(IpxeLocalBootTest, AHostLeavesTheWayThatItsVariableSaysByItsDistroAndByItsMenu) {
  const struct {
    const char* way;
    const char* platform;
    bool disk_boots;
    Left left;
  } kCases[] = {
      {"", "pcbios", true, {End::kExited, 0}},
      {"", "efi", true, {End::kExited, 1}},
      {"exit", "pcbios", true, {End::kExited, 0}},
      {"exit", "efi", true, {End::kExited, 1}},
      {"exit-ok", "pcbios", true, {End::kExited, 0}},
      {"exit-ok", "efi", true, {End::kExited, 0}},
      {"sanboot", "pcbios", true, {End::kDisk, 0}},
      {"sanboot", "pcbios", false, {End::kExited, 0}},
      {"sanboot", "efi", false, {End::kExited, 1}},
      // Set before it was checked, or of an agent that is older than its server.
      {"what else", "efi", true, {End::kExited, 1}},
      {"--help || reboot", "efi", true, {End::kExited, 1}},
  };
  for (const auto& c : kCases) {
    for (const char* distro : {"local", "menu", "debian/bookworm/latest/nfsrw"}) {
      IpxeInterpreter ipxe;
      ipxe.SetOwn("platform", c.platform, true);
      ipxe.disk_boots = c.disk_boots;
      EXPECT_EQ(Leave(ipxe, distro, c.way), c.left) << c.way << " " << c.platform << " " << distro;
    }
  }
}

TEST(IpxeLocalBootTest, TheWayOfAnEarlierScriptIsGone) {
  IpxeInterpreter ipxe;
  EXPECT_EQ(Leave(ipxe, "menu", "sanboot").end, End::kDisk);
  EXPECT_EQ(ipxe.Show("local-boot"), "sanboot");
  EXPECT_EQ(Leave(ipxe, "menu", "").end, End::kExited);
  EXPECT_EQ(ipxe.Show("local-boot"), "");
}

TEST(IpxeLocalBootTest, TheMenuItselfIsTheSameForAllHosts) {
  const auto menu_of = [](const std::string& script) {
    return script.substr(script.find("\n:menu\n"));
  };
  EXPECT_EQ(menu_of(Script("menu", "sanboot")), menu_of(Script("menu", "")));
}

TEST(IpxeLocalBootTest, IsRenderedAsAgreed) {
  EXPECT_TRUE(IsGolden(Script("local", "exit"), "local.ipxe"));
  EXPECT_TRUE(IsGolden(Script("local", "exit-ok"), "local_exit_ok.ipxe"));
  EXPECT_TRUE(IsGolden(Script("local", "sanboot"), "local_sanboot.ipxe"));
}

}  // namespace
}  // namespace autopxe
