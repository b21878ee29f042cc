#include "agent/catalog/kernel_version.h"

#include <string>

#include "absl/types/optional.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using Kind = BootFileName::Kind;

TEST(KernelVersionTest, KernelsAndInitrdsAreKnownByTheirNames) {
  const struct {
    std::string name;
    Kind kind;
    std::string version;
  } kCases[] = {
      {"vmlinuz-6.1.0-25-amd64", Kind::kKernel, "6.1.0-25-amd64"},
      {"initrd.img-6.1.0-25-amd64", Kind::kDebianInitrd, "6.1.0-25-amd64"},
      {"initramfs-6.6.0-45.0.0.54.oe2409.x86_64.img", Kind::kRpmInitrd,
       "6.6.0-45.0.0.54.oe2409.x86_64"},
      // Faults, case 53: a version without a dash.
      {"vmlinuz-6.6.63", Kind::kKernel, "6.6.63"},
      {"initrd.img-6.6.63", Kind::kDebianInitrd, "6.6.63"},
      {"initramfs-6.6.63.img", Kind::kRpmInitrd, "6.6.63"},
      {"vmlinuz-0-rescue-b9d4", Kind::kKernel, "0-rescue-b9d4"},
      {"initramfs-0-rescue-b9d4.img", Kind::kRpmInitrd, "0-rescue-b9d4"},
      {"vmlinuz-linux", Kind::kKernel, "linux"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.name);
    const auto parsed = ParseBootFileName(c.name);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->kind, c.kind);
    EXPECT_EQ(parsed->version, c.version);
  }
}

TEST(KernelVersionTest, NothingElseIsABootFile) {
  for (const char* name :
       {"", "vmlinuz", "vmlinuz-", "initrd.img", "initrd.img-", "initramfs-.img", "initramfs-6.1",
        "initramfs.img", "System.map-6.1.0-25-amd64", "config-6.1.0-25-amd64", ".vmlinuz-6.1.hmac",
        "initramfs-6.6.0-45.oe2409.x86_64kdump.img", "grub", "xvmlinuz-6.1"}) {
    EXPECT_FALSE(ParseBootFileName(name).has_value()) << name;
  }
}

TEST(KernelVersionTest, ThePlainFlavourHasNoName) {
  for (const char* version : {
           "6.6.63",
           "6.1.0-25",
           "6.1.0-25-amd64",
           "6.1.0-25-arm64",
           "6.1.0-25-686",
           "6.1.0-25-686-pae",
           "6.1.0-25-armmp-lpae",
           "6.1.0-0.deb11.21-amd64",
           "6.12.9+bpo-amd64",
           "6.12.30+deb13-arm64",
           "6.12.9+bpo-686",
           "5.15.0-91-generic",
           "6.8.0-060800rc1-generic",
           "6.8.12-4-pve",
           "6.4.0-150600.23-default",
           "6.6.0-45.0.0.54.oe2409.x86_64",
           "5.10.0-60.18.0.50.oe2203.aarch64",
           "5.14.0-427.13.1.el9_4.x86_64",
           "6.9.1-1.el9.elrepo.x86_64",
       }) {
    EXPECT_EQ(KernelFlavour(version), "") << version;
  }
}

TEST(KernelVersionTest, AnyOtherBuildHasAFlavour) {
  const struct {
    std::string version;
    std::string flavour;
  } kCases[] = {
      {"6.1.0-25-rt-amd64", "rt-amd64"},
      {"6.1.0-25-cloud-amd64", "cloud-amd64"},
      {"6.12.30+deb13-cloud-amd64", "cloud-amd64"},
      {"6.1.0-0.deb11.21-rt-686-pae", "rt-686-pae"},
      {"6.12.30+deb13-arm64-16k", "arm64-16k"},
      {"5.15.0-91-lowlatency", "lowlatency"},
      {"5.15.0-1052-aws", "aws"},
      {"6.8.0-45-generic-64k", "generic-64k"},
      {"6.6.63-custom", "custom"},
      {"6.6.63-rt46", "rt46"},
      {"6.8.0-rc1", "rc1"},
      {"5.14.0-362.el9.x86_64+debug", "debug"},
      {"5.14.0-427.el9.aarch64+64k", "64k"},
      {"5.14.0-427.el9.x86_64+rt", "rt"},
      {"2.6.32-754.el6.x86_64.debug", "debug"},
      {"4.18.0-477.10.1.rt7.274.el8_8.x86_64", "rt"},
      {"6.6.0-45.0.0.rt54.oe2409.x86_64", "rt"},
      {"linux-lts", "linux-lts"},
      {"", ""},
      {"-", "-"},
      {"6.1-", ""},
  };
  for (const auto& c : kCases) EXPECT_EQ(KernelFlavour(c.version), c.flavour) << c.version;
}

TEST(KernelVersionTest, TheRescueKernelIsKnown) {
  EXPECT_TRUE(IsRescueKernel("0-rescue-b9d4c1f0e0a94b0c9d2f5f9c7d1a2b3c"));
  EXPECT_TRUE(IsRescueKernel("0-rescue"));
  EXPECT_FALSE(IsRescueKernel("6.6.0-0-rescue"));
  EXPECT_FALSE(IsRescueKernel("0.1"));
}

}  // namespace
}  // namespace autopxe::agent
