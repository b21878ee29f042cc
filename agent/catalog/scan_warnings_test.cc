#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "agent/catalog/scan.h"
#include "agent/catalog/test_scan.h"
#include "agent/catalog/test_tree.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Faults, case 53.
TEST(ScanWarningsTest, WhatIsBrokenIsSkippedWithAWarningAndTheRestIsOffered) {
  TestTree tree;
  tree.AddKernel("debian/good", "6.1");
  tree.Write("rootfs/debian/good/boot/vmlinuz-6.2", "kernel");
  tree.Write("rootfs/debian/noinitrd/boot/vmlinuz-6.2", "kernel");
  tree.MakeFolder("rootfs/debian/emptyboot/boot");
  tree.MakeFolder("rootfs/debian/noboot");
  tree.Write("rootfs/debian/fileboot/boot", "");
  tree.MakeFolder("rootfs/empty");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(Listed(scan.catalog),
              ElementsAre(HasSubstr("debian/good/latest=6.1 "), HasSubstr("debian/good/6.1=6.1 ")));
  EXPECT_THAT(
      Warned(scan),
      ElementsAre(
          "debian/emptyboot: no kernel with an initrd of the same version in its folder boot",
          "debian/fileboot: its folder boot can't be read: Not a directory",
          "debian/good/boot/vmlinuz-6.2: no initrd of the same version",
          "debian/noboot: its folder boot can't be read: No such file or directory",
          "debian/noinitrd/boot/vmlinuz-6.2: no initrd of the same version",
          "debian/noinitrd: no kernel with an initrd of the same version in its folder boot",
          "empty: no release in it"));
}

// Faults, case 53.
TEST(ScanWarningsTest, WhatCantBeReadIsSkippedWithAWarning) {
  TestTree tree;
  tree.AddKernel("debian/good", "6.1");
  tree.AddKernel("debian/closed", "6.1");
  tree.AddKernel("closed/release", "6.1");
  // Ubuntu installs its kernels with mode 0600.
  tree.AddKernel("ubuntu/jammy", "5.15.0-91-generic");
  const auto set_mode = [&](const std::string& path, mode_t mode) {
    ASSERT_EQ(chmod((tree.rootfs() + "/" + path).c_str(), mode), 0);
  };
  set_mode("debian/closed", 0);
  set_mode("closed", 0);
  set_mode("ubuntu/jammy/boot/vmlinuz-5.15.0-91-generic", 0);
  Scan scan;
  WithoutPrivileges([&] { scan = ScanOf(tree); });
  set_mode("debian/closed", 0700);
  set_mode("closed", 0700);
  EXPECT_THAT(Listed(scan.catalog),
              ElementsAre(HasSubstr("debian/good/latest=6.1 "), HasSubstr("debian/good/6.1=6.1 ")));
  EXPECT_THAT(
      Warned(scan),
      ElementsAre("closed: can't be read: Permission denied",
                  "debian/closed: can't be read: Permission denied",
                  "ubuntu/jammy/boot/vmlinuz-5.15.0-91-generic: can't be read: Permission denied",
                  "ubuntu/jammy: no kernel with an initrd of the same version in its folder boot"));
}

// Faults, case 53, and a copy that stops in the middle.
TEST(ScanWarningsTest, AKernelThatIsShorterThanItsHeaderSaysIsNotOfferedHoweverOldItIs) {
  TestTree tree;
  tree.AddKernel("debian/a", "6.0");
  tree.Write("rootfs/debian/a/boot/vmlinuz-6.1", BzImage(8192).substr(0, 8191));
  tree.Write("rootfs/debian/a/boot/initrd.img-6.1", "initrd");
  tree.Write("rootfs/debian/a/boot/vmlinuz-6.2", "");
  tree.Write("rootfs/debian/a/boot/initrd.img-6.2", "initrd");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(Listed(scan.catalog), ElementsAre(HasSubstr("/latest=6.0 "), HasSubstr("/6.0=6.0 ")));
  EXPECT_THAT(Warned(scan),
              ElementsAre("debian/a/boot/vmlinuz-6.1: incomplete: by its header it has 8192 bytes, "
                          "but there are 8191",
                          "debian/a/boot/vmlinuz-6.2: empty"));
  EXPECT_TRUE(scan.is_settled);
}

// Faults, case 31: what can't be a part of a distro's name is never offered.
TEST(ScanWarningsTest, HostileNamesAreSkippedWithAWarning) {
  TestTree tree;
  const std::vector<std::string> hostile = {"a b",      "a\nb", "a\x1b[31m", "${uuid}", "a||b",
                                            "a;b",      "-rf",  "a\"b",      "a'b",     "a#b",
                                            "\xc3\xa9", "a:b",  "~a",        "a\\b"};
  for (const std::string& name : hostile) {
    tree.AddKernel(absl::StrCat(name, "/release"), "6.1");
    tree.AddKernel(absl::StrCat("debian/", name), "6.1");
    tree.AddKernel("debian/bookworm", absl::StrCat("6.1", name, " "));
  }
  tree.AddKernel("debian/bookworm", "6.1");
  tree.AddKernel("debian/bookworm", "latest");
  tree.AddKernel("debian/bookworm", std::string(129, '1'));
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(Listed(scan.catalog), ElementsAre(HasSubstr("debian/bookworm/latest=6.1 "),
                                                HasSubstr("debian/bookworm/6.1=6.1 ")));
  EXPECT_EQ(scan.warnings.size(), hostile.size() * 3 + 2);
}

TEST(ScanWarningsTest, WhatNobodyMeantIsPassedOverInSilence) {
  TestTree tree;
  tree.MakeFolder("rootfs/lost+found");
  tree.MakeFolder("rootfs/.snapshot/debian");
  tree.Write("rootfs/README", "");
  tree.AddKernel("debian/bookworm", "6.1");
  tree.MakeFolder("rootfs/debian/.snapshot");
  tree.MakeFolder("rootfs/debian/lost+found");
  tree.Write("rootfs/debian/README", "");
  tree.Write("rootfs/debian/bookworm/boot/System.map-6.1", "");
  tree.Write("rootfs/debian/bookworm/boot/initrd.img-6.0", "initrd");
  const Scan scan = ScanOf(tree);
  EXPECT_EQ(scan.catalog.KernelCount(), 2u);
  EXPECT_THAT(scan.warnings, IsEmpty());
}

}  // namespace
}  // namespace autopxe::agent
