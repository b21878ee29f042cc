#include "agent/catalog/scan.h"

#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const TreeChanges kEverything = {.everything = true, .releases = {}, .closed = {}};

LookTime Now(absl::Duration later = absl::ZeroDuration()) {
  return {.wall = absl::Now() + later, .monotonic = absl::Seconds(100) + later};
}

absl::StatusOr<Scan> ScanFolders(const std::string& rootfs, const std::string& loaders) {
  return Scanner(rootfs, loaders, nullptr).Run(kEverything, Now());
}

Scan ScanOf(const TestTree& tree) {
  auto scan = ScanFolders(tree.rootfs(), tree.loaders());
  EXPECT_THAT(scan, IsOk());
  return *std::move(scan);
}

// One line for each kernel: "debian/stable->bookworm/latest=6.1 boot/vmlinuz-6.1
// boot/initrd.img-6.1".
std::vector<std::string> Listed(const Catalog& catalog) {
  std::vector<std::string> lines;
  for (const CatalogDistro& distro : catalog.distros) {
    for (const CatalogRelease& release : distro.releases) {
      for (const CatalogKernel& kernel : release.kernels) {
        lines.push_back(absl::StrCat(distro.name, "/", release.name,
                                     release.alias_of.empty() ? "" : "->", release.alias_of, "/",
                                     kernel.name, "=", kernel.version, " ", kernel.kernel_path, " ",
                                     kernel.initrd_path));
      }
    }
  }
  return lines;
}

std::vector<std::string> Warned(const Scan& scan) {
  std::vector<std::string> lines;
  for (const ScanWarning& warning : scan.warnings) {
    lines.push_back(absl::StrCat(warning.path, ": ", warning.reason));
  }
  return lines;
}

TEST(ScanTest, AnEmptyTreeIsAnEmptyCatalog) {
  TestTree tree;
  const Scan scan = ScanOf(tree);
  EXPECT_EQ(scan.catalog, Catalog());
  EXPECT_THAT(scan.warnings, IsEmpty());
}

TEST(ScanTest, AFolderThatCantBeReadIsNamed) {
  TestTree tree;
  EXPECT_THAT(
      ScanFolders(tree.folder() + "/none", tree.loaders()),
      StatusIs(absl::StatusCode::kNotFound,
               absl::StrCat("rootfs folder ", tree.folder(), "/none: No such file or directory")));
  EXPECT_THAT(ScanFolders(tree.rootfs(), tree.folder() + "/none"),
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

// Faults, case 53.
TEST(ScanTest, WhatIsBrokenIsSkippedWithAWarningAndTheRestIsOffered) {
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
TEST(ScanTest, WhatCantBeReadIsSkippedWithAWarning) {
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
  // Capabilities are a thread's own: this one reads as anybody would.
  std::thread([&] {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2] = {};
    ASSERT_EQ(syscall(SYS_capset, &header, none), 0);
    scan = ScanOf(tree);
  }).join();
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

TEST(ScanTest, LinksAndFoldersInBootAreIgnored) {
  TestTree tree;
  tree.AddKernel("a/b", "6.1");
  tree.Link("rootfs/a/b/boot/vmlinuz-6.2", "vmlinuz-6.1");
  tree.Link("rootfs/a/b/boot/initrd.img-6.2", "initrd.img-6.1");
  tree.MakeFolder("rootfs/a/b/boot/vmlinuz-6.3");
  tree.MakeFolder("rootfs/a/b/boot/initrd.img-6.3");
  tree.Link("rootfs/a/b/boot/vmlinuz", "vmlinuz-6.1");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(Listed(scan.catalog), ElementsAre(HasSubstr("/latest=6.1 "), HasSubstr("/6.1=6.1 ")));
  EXPECT_THAT(scan.warnings, IsEmpty());
}

TEST(ScanTest, DebianAndUbuntuOfferTheLinksThatTheyKeepAsDefault) {
  TestTree tree;
  for (const std::string release : {"debian/bookworm", "ubuntu/jammy", "other/one"}) {
    tree.AddKernel(release, "6.1");
    tree.Link("rootfs/" + release + "/vmlinuz", "boot/vmlinuz-6.1");
    // Debian's own are relative; an absolute one means the release's root all the same.
    tree.Link("rootfs/" + release + "/initrd.img", "/boot/initrd.img-6.1");
    tree.Link("rootfs/" + release + "/boot/vmlinuz", "vmlinuz-6.1");
    tree.Link("rootfs/" + release + "/boot/initrd.img", "initrd.img-6.1");
  }
  EXPECT_THAT(Listed(ScanOf(tree).catalog),
              ElementsAre(HasSubstr("debian/bookworm/latest=6.1 "),
                          "debian/bookworm/default=6.1 vmlinuz initrd.img",
                          HasSubstr("debian/bookworm/6.1=6.1 "), HasSubstr("other/one/latest=6.1 "),
                          HasSubstr("other/one/6.1=6.1 "), HasSubstr("ubuntu/jammy/latest=6.1 "),
                          "ubuntu/jammy/default=6.1 boot/vmlinuz boot/initrd.img",
                          HasSubstr("ubuntu/jammy/6.1=6.1 ")));
}

// Faults, case 2.
TEST(ScanTest, DefaultIsNotOfferedWhereItsLinksLeadOutOrNowhere) {
  TestTree tree;
  tree.Write("outside", "");
  const struct {
    std::string release;
    std::string target;
  } kCases[] = {
      {"out", tree.folder() + "/outside"},
      {"up", "../../../outside"},
      {"dangling", "boot/gone"},
      {"folder", "boot"},
  };
  for (const auto& c : kCases) {
    const std::string release = absl::StrCat("debian/", c.release);
    tree.AddKernel(release, "6.1");
    tree.Link(absl::StrCat("rootfs/", release, "/vmlinuz"), c.target);
    tree.Link(absl::StrCat("rootfs/", release, "/initrd.img"), "boot/initrd.img-6.1");
  }
  for (const std::string& line : Listed(ScanOf(tree).catalog)) {
    EXPECT_THAT(line, ::testing::Not(HasSubstr("/default=")));
  }
}

TEST(ScanTest, AReleaseThatIsALinkToAnotherIsItsAlias) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  tree.Link("rootfs/debian/stable", "bookworm");
  tree.Link("rootfs/debian/12", "stable");                                  // By another alias.
  tree.Link("rootfs/debian/absolute", tree.rootfs() + "/debian/bookworm");  // Ends inside.
  tree.Link("rootfs/debian/around", "../debian/./bookworm/");
  const Scan scan = ScanOf(tree);
  std::vector<std::string> aliases;
  for (const CatalogRelease& release : scan.catalog.distros.at(0).releases) {
    aliases.push_back(absl::StrCat(release.name, ">", release.folder()));
    EXPECT_EQ(release.kernels, scan.catalog.FindRelease("debian", "bookworm")->kernels);
  }
  EXPECT_THAT(aliases, ElementsAre("12>bookworm", "absolute>bookworm", "around>bookworm",
                                   "bookworm>bookworm", "stable>bookworm"));
  EXPECT_THAT(scan.warnings, IsEmpty());
}

// Faults, case 2.
TEST(ScanTest, AReleaseThatIsALinkToAnythingElseIsRefused) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  tree.AddKernel("ubuntu/jammy", "5.15");
  tree.AddKernel("../outside/release", "6.6");
  tree.MakeFolder("rootfs/debian/empty/boot");
  tree.Link("rootfs/debian/broken", "empty");
  tree.Link("rootfs/debian/dangling", "gone");
  tree.Link("rootfs/debian/file", "bookworm/boot/vmlinuz-6.1");
  tree.Link("rootfs/debian/foreign", "../ubuntu/jammy");
  tree.Link("rootfs/debian/inner", "bookworm/boot");
  tree.Link("rootfs/debian/loop", "loop");
  tree.Link("rootfs/debian/out", tree.folder() + "/outside/release");
  tree.Link("rootfs/linked", "debian");
  const Scan scan = ScanOf(tree);
  EXPECT_THAT(Listed(scan.catalog),
              ElementsAre(HasSubstr("debian/bookworm/latest="), HasSubstr("debian/bookworm/6.1="),
                          HasSubstr("ubuntu/jammy/latest="), HasSubstr("ubuntu/jammy/5.15=")));
  const std::string elsewhere = "a link to something else than a release of this distro";
  EXPECT_THAT(
      Warned(scan),
      ElementsAre(
          "debian/empty: no kernel with an initrd of the same version in its folder boot",
          "debian/broken: a link to empty, which offers nothing",
          "debian/dangling: a link that leads nowhere: No such file or directory",
          "debian/file: " + elsewhere, "debian/foreign: " + elsewhere, "debian/inner: " + elsewhere,
          "debian/loop: a link that leads nowhere: Too many levels of symbolic links",
          "debian/out: " + elsewhere, "linked: a link; of distros only releases may be links"));
}

// Faults, case 31: what can't be a part of a distro's name is never offered.
TEST(ScanTest, HostileNamesAreSkippedWithAWarning) {
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

TEST(ScanTest, WhatNobodyMeantIsPassedOverInSilence) {
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

// Faults, case 2.
TEST(ScanTest, ADefaultKernelThatLeadsToAnythingElseIsLeftOutWithAWarning) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1.0-25-amd64");
  tree.Write("rootfs/debian/bookworm/etc/shadow", "secret");
  tree.Link("rootfs/debian/bookworm/vmlinuz", "etc/shadow");
  tree.Link("rootfs/debian/bookworm/initrd.img", "boot/initrd.img-6.1.0-25-amd64");
  const Scan scan = ScanOf(tree);
  EXPECT_EQ(scan.catalog.FindRelease("debian", "bookworm")->FindKernel("default"), nullptr);
  EXPECT_THAT(Warned(scan), ElementsAre(testing::StartsWith("debian/bookworm/vmlinuz: ")));
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

// An x86 kernel that is `size` bytes by its header.
std::string BzImage(size_t size) {
  std::string bytes(size, '\0');
  const auto put = [&](size_t offset, size_t number, size_t count) {
    for (size_t i = 0; i < count; ++i) {
      bytes[offset + i] = static_cast<char>(number >> (8 * i) & 0xff);
    }
  };
  bytes.replace(0x202, 4, "HdrS");
  put(0x206, 0x20f, 2);
  put(0x1f1, 1, 1);
  put(0x1f4, (size - 1024) / 16, 4);
  put(0x236, 1, 2);
  return bytes;
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

// Faults, case 53, and a copy that stops in the middle.
TEST(ScanTest, AKernelThatIsShorterThanItsHeaderSaysIsNotOfferedHoweverOldItIs) {
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

TEST(ScanTest, WhatIsBeingWrittenIsLeftOutUntilItHasBeenQuiet) {
  TestTree tree;
  const LookTime start = Now();
  tree.AddKernel("debian/a", "6.0");
  tree.Write("rootfs/debian/a/boot/vmlinuz-6.1", "kernel");
  tree.WriteNow("rootfs/debian/a/boot/initrd.img-6.1", "ini");
  Scanner scanner(tree.rootfs(), tree.loaders(), nullptr);
  const auto scan_at = [&](absl::Duration later) {
    absl::StatusOr<Scan> scan = scanner.Run(
        TreeChanges(), {.wall = start.wall + later, .monotonic = start.monotonic + later});
    EXPECT_THAT(scan, IsOk());
    return *std::move(scan);
  };
  Scan scan = scan_at(absl::ZeroDuration());
  EXPECT_EQ(scan.catalog.KernelCount(), 2u);
  EXPECT_FALSE(scan.is_settled);
  EXPECT_THAT(scan.warnings, IsEmpty());
  // It has grown, whatever the clocks say.
  tree.WriteNow("rootfs/debian/a/boot/initrd.img-6.1", "initr");
  EXPECT_EQ(scan_at(absl::Hours(1)).catalog.KernelCount(), 2u);
  EXPECT_EQ(scan_at(absl::Hours(1) + kQuiet / 2).catalog.KernelCount(), 2u);
  scan = scan_at(absl::Hours(1) + kQuiet);
  EXPECT_THAT(Listed(scan.catalog), Contains(HasSubstr("debian/a/latest=6.1 ")));
  EXPECT_TRUE(scan.is_settled);
}

TEST(ScanTest, WhatItsWriterHasClosedIsOfferedAtOnce) {
  TestTree tree;
  const LookTime start = Now();
  Scanner scanner(tree.rootfs(), tree.loaders(), nullptr);
  tree.WriteNow("rootfs/debian/a/boot/vmlinuz-6.1", "kernel");
  tree.WriteNow("rootfs/debian/a/boot/initrd.img-6.1", "initrd");
  TreeChanges changes = kEverything;
  changes.closed = {"debian/a/boot/vmlinuz-6.1"};
  EXPECT_EQ(scanner.Run(changes, start)->catalog.KernelCount(), 0u);
  changes.closed = {"debian/a/boot/initrd.img-6.1"};
  EXPECT_EQ(scanner.Run(changes, start)->catalog.KernelCount(), 2u);
}

TEST(ScanTest, OnlyReleasesThatAreSaidToHaveChangedAreReadAgain) {
  TestTree tree;
  tree.AddKernel("debian/a", "6.1");
  tree.AddKernel("debian/b", "6.1");
  tree.Link("rootfs/debian/c", "a");
  Scanner scanner(tree.rootfs(), tree.loaders(), nullptr);
  const auto count = [&](const TreeChanges& changes) {
    return scanner.Run(changes, Now())->catalog.KernelCount();
  };
  EXPECT_EQ(count(TreeChanges()), 6u);
  tree.AddKernel("debian/a", "6.2");
  tree.AddKernel("debian/b", "6.2");
  EXPECT_EQ(count(TreeChanges()), 6u);
  EXPECT_EQ(count({.everything = false, .releases = {"debian/b"}, .closed = {}}), 8u);
  EXPECT_EQ(count(kEverything), 12u);
  // What is new or gone at the upper levels shows without being said.
  tree.AddKernel("debian/d", "6.1");
  tree.Remove("rootfs/debian/b");
  EXPECT_EQ(count(TreeChanges()), 10u);
}

TEST(ScanTest, AScanThatFailsForgetsNothing) {
  TestTree tree;
  tree.AddKernel("debian/a", "6.1");
  Scanner scanner(tree.rootfs(), tree.loaders(), nullptr);
  ASSERT_THAT(scanner.Run(kEverything, Now()), IsOk());
  tree.Remove("loaders");
  EXPECT_THAT(scanner.Run(kEverything, Now()), StatusIs(absl::StatusCode::kNotFound));
  tree.MakeFolder("loaders");
  EXPECT_EQ(scanner.Run(TreeChanges(), Now())->catalog.KernelCount(), 2u);
}

// Faults, case 53: the time-out of a test of this size is the bound.
TEST(ScanTest, TenThousandReleasesAreScanned) {
  TestTree tree;
  for (int i = 0; i < 10'000; ++i) {
    const std::string release = absl::StrFormat("debian/r%05d", i);
    if (i % 2 == 0) {
      tree.AddKernel(release, "6.1");
    } else {
      tree.Link("rootfs/" + release, absl::StrFormat("r%05d", i - 1));
    }
  }
  const Scan scan = ScanOf(tree);
  ASSERT_EQ(scan.catalog.distros.size(), 1u);
  EXPECT_EQ(scan.catalog.distros[0].releases.size(), 10'000u);
  EXPECT_EQ(scan.catalog.distros[0].releases[9'999].folder(), "r09998");
  EXPECT_EQ(scan.catalog.KernelCount(), 20'000u);
  EXPECT_THAT(scan.warnings, IsEmpty());

  // One that changes among them costs a fraction of that.
  const auto watch = TreeWatch::Open();
  ASSERT_THAT(watch, IsOk());
  Scanner scanner(tree.rootfs(), tree.loaders(), watch->get());
  const auto seconds = [&](const TreeChanges& changes) {
    const absl::Time start = absl::Now();
    EXPECT_THAT(scanner.Run(changes, Now()), IsOk());
    return absl::ToDoubleSeconds(absl::Now() - start);
  };
  RecordProperty("first_scan_s", absl::StrCat(seconds(kEverything)));
  RecordProperty("full_scan_s", absl::StrCat(seconds(kEverything)));
  tree.AddKernel("debian/r05000", "6.2");
  TreeChanges changes;
  EXPECT_TRUE((*watch)->Read(changes));
  EXPECT_THAT(changes.releases, ElementsAre("debian/r05000"));
  RecordProperty("one_release_s", absl::StrCat(seconds(changes)));
}

}  // namespace
}  // namespace autopxe::agent
