#include "agent/catalog/scan.h"

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/catalog/test_scan.h"
#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(ScanTest, AnEmptyTreeIsAnEmptyCatalog) {
  TestTree tree;
  const Scan scan = ScanOf(tree);
  EXPECT_EQ(scan.catalog, Catalog());
  EXPECT_THAT(scan.warnings, IsEmpty());
}

TEST(ScanTest, AFolderThatCantBeReadIsNamed) {
  const auto scan = [](const std::string& rootfs, const std::string& loaders) {
    return Scanner({.rootfs = rootfs, .loaders = loaders, .files = ""}, nullptr)
        .Run(Everything(), Now());
  };
  TestTree tree;
  EXPECT_THAT(
      scan(tree.folder() + "/none", tree.loaders()),
      StatusIs(absl::StatusCode::kNotFound,
               absl::StrCat("rootfs folder ", tree.folder(), "/none: No such file or directory")));
  EXPECT_THAT(scan(tree.rootfs(), tree.folder() + "/none"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("loaders folder ")));
}

TEST(ScanTest, KernelsAreOfferedWithTheirInitrds) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1.0-9-amd64");
  tree.AddKernel("debian/bookworm", "6.1.0-10-amd64");
  tree.AddKernel("debian/bookworm", "6.1.0-11-rt-amd64");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(
      Listed(scan.catalog),
      ElementsAre(
          "debian/bookworm/latest=6.1.0-10-amd64 boot/vmlinuz-6.1.0-10-amd64 "
          "boot/initrd.img-6.1.0-10-amd64",
          "debian/bookworm/previous=6.1.0-9-amd64 boot/vmlinuz-6.1.0-9-amd64 "
          "boot/initrd.img-6.1.0-9-amd64",
          "debian/bookworm/6.1.0-11-rt-amd64=6.1.0-11-rt-amd64 boot/vmlinuz-6.1.0-11-rt-amd64 "
          "boot/initrd.img-6.1.0-11-rt-amd64",
          "debian/bookworm/6.1.0-10-amd64=6.1.0-10-amd64 boot/vmlinuz-6.1.0-10-amd64 "
          "boot/initrd.img-6.1.0-10-amd64",
          "debian/bookworm/6.1.0-9-amd64=6.1.0-9-amd64 boot/vmlinuz-6.1.0-9-amd64 "
          "boot/initrd.img-6.1.0-9-amd64"));
  EXPECT_THAT(scan.warnings, IsEmpty());
}

TEST(ScanTest, OpenEulersNamesAreKnown) {
  TestTree tree;
  const std::string boot = "rootfs/openeuler/24.09/boot/";
  for (const std::string version : {"6.6.0-45.0.0.54.oe2409.x86_64", "0-rescue-b9d4c1f0"}) {
    tree.Write(boot + "vmlinuz-" + version, "kernel");
    tree.Write(boot + "initramfs-" + version + ".img", "initrd");
  }
  tree.Write(boot + "initramfs-6.6.0-45.0.0.54.oe2409.x86_64kdump.img", "");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(Listed(scan.catalog),
              ElementsAre(HasSubstr("/24.09/latest=6.6.0-45.0.0.54.oe2409.x86_64 "
                                    "boot/vmlinuz-6.6.0-45.0.0.54.oe2409.x86_64 "
                                    "boot/initramfs-6.6.0-45.0.0.54.oe2409.x86_64.img"),
                          HasSubstr("/6.6.0-45.0.0.54.oe2409.x86_64="),
                          HasSubstr("/0-rescue-b9d4c1f0=0-rescue-b9d4c1f0 ")));
  EXPECT_THAT(scan.warnings, IsEmpty());
}

TEST(ScanTest, DebiansInitrdIsTakenWhereBothKindsAreThere) {
  TestTree tree;
  tree.AddKernel("a/b", "6.1");
  tree.Write("rootfs/a/b/boot/initramfs-6.1.img", "initrd");
  EXPECT_THAT(Listed(ScanOf(tree).catalog),
              ElementsAre(HasSubstr("boot/initrd.img-6.1"), HasSubstr("boot/initrd.img-6.1")));
}

// Faults, case 53.
TEST(ScanTest, AVersionWithoutADashIsAKernelLikeAnyOther) {
  TestTree tree;
  tree.AddKernel("debian/own", "6.6.63");
  EXPECT_THAT(Listed(ScanOf(tree).catalog),
              ElementsAre("debian/own/latest=6.6.63 boot/vmlinuz-6.6.63 boot/initrd.img-6.6.63",
                          "debian/own/6.6.63=6.6.63 boot/vmlinuz-6.6.63 boot/initrd.img-6.6.63"));
}

TEST(ScanTest, ArchitectureAndSizesAreTold) {
  TestTree tree;
  tree.Write("rootfs/debian/a/boot/vmlinuz-6.1", BzImage(8192));
  tree.Write("rootfs/debian/a/boot/initrd.img-6.1", "initrd");
  tree.Link("rootfs/debian/a/vmlinuz", "boot/vmlinuz-6.1");
  tree.Link("rootfs/debian/a/initrd.img", "boot/initrd.img-6.1");
  tree.AddKernel("debian/b", "6.1");
  const Scan scan = ScanOf(tree);
  for (const CatalogKernel& kernel : scan.catalog.FindRelease("debian", "a")->kernels) {
    EXPECT_EQ(kernel.architecture, Architecture::kX86_64) << kernel.name;
    EXPECT_EQ(kernel.kernel_size, 8192) << kernel.name;
    EXPECT_EQ(kernel.initrd_size, 6) << kernel.name;
  }
  EXPECT_EQ(scan.catalog.FindRelease("debian", "b")->kernels.at(0).architecture,
            Architecture::kUnknown);
}

TEST(ScanTest, LoadersAreFilesAndLinksToLoaders) {
  TestTree tree;
  tree.Write("secret", "");
  tree.Write("loaders/undionly.kpxe", "");
  tree.Write("loaders/ipxe.efi", "");
  tree.Link("loaders/snponly.efi", "ipxe.efi");
  tree.Link("loaders/out.efi", "../secret");
  tree.MakeFolder("loaders/folder.efi");
  tree.Write("loaders/README", "");
  tree.Write("loaders/deep/ipxe.efi", "");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(scan.catalog.loaders, ElementsAre("ipxe.efi", "snponly.efi", "undionly.kpxe"));
  EXPECT_THAT(
      Warned(scan),
      ElementsAre("out.efi: can't be read: a link to a file that is not named as a loader"));
}

}  // namespace
}  // namespace autopxe::agent
