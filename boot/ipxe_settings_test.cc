#include "boot/ipxe_settings.h"

#include <algorithm>

#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(IpxeSettingsTest, TheListIsAscendingAndEveryNameOfItIsFound) {
  EXPECT_TRUE(std::is_sorted(IpxeSettings().begin(), IpxeSettings().end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const IpxeSetting& setting : IpxeSettings()) EXPECT_TRUE(IsIpxeSetting(setting.name));
}

TEST(IpxeSettingsTest, SettingsAndDhcpOptionsBelongToIpxeAndNothingElseDoes) {
  for (const char* name :
       {"ip", "hostname", "uuid", "serial", "mac", "next-server", "17", "175.176", "0xaf", "5."}) {
    EXPECT_TRUE(IsIpxeSetting(name)) << name;
  }
  for (const char* name : {"nfs-server", "rootfs-path", "IP", "host", "ip7", "a.b", "1e", "hostnam",
                           "hostnames", "17.x", "0xg"}) {
    EXPECT_FALSE(IsIpxeSetting(name)) << name;
  }
}

TEST(IpxeSettingsTest, OnlyTextIsAskedForPercentEncoded) {
  const struct {
    const char* name;
    const char* reference;
  } kCases[] = {
      {"hostname", "${hostname:uristring}"},
      {"ip", "${ip}"},
      {"uuid", "${uuid}"},
      {"net0/mac", "${net0/mac}"},
      {"net0/hostname", "${net0/hostname:uristring}"},
      {"mac:hexraw", "${mac:hexraw}"},
      {"serial:string", "${serial:uristring}"},
      {"net0.dhcp/17:string", "${net0.dhcp/17:uristring}"},
      {"some/thing", "${some/thing}"},
  };
  for (const auto& c : kCases) EXPECT_EQ(FormatIpxeReference(c.name), c.reference);
}

}  // namespace
}  // namespace autopxe
