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

TEST(ScanLinksTest, LinksAndFoldersInBootAreIgnored) {
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

TEST(ScanLinksTest, DebianAndUbuntuOfferTheLinksThatTheyKeepAsDefault) {
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
TEST(ScanLinksTest, DefaultIsNotOfferedWhereItsLinksLeadOutOrNowhere) {
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

// Faults, case 2.
TEST(ScanLinksTest, ADefaultKernelThatLeadsToAnythingElseIsLeftOutWithAWarning) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1.0-25-amd64");
  tree.Write("rootfs/debian/bookworm/etc/shadow", "secret");
  tree.Link("rootfs/debian/bookworm/vmlinuz", "etc/shadow");
  tree.Link("rootfs/debian/bookworm/initrd.img", "boot/initrd.img-6.1.0-25-amd64");
  const Scan scan = ScanOf(tree);
  EXPECT_EQ(scan.catalog.FindRelease("debian", "bookworm")->FindKernel("default"), nullptr);
  EXPECT_THAT(Warned(scan), ElementsAre(testing::StartsWith("debian/bookworm/vmlinuz: ")));
}

TEST(ScanLinksTest, AReleaseThatIsALinkToAnotherIsItsAlias) {
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
TEST(ScanLinksTest, AReleaseThatIsALinkToAnythingElseIsRefused) {
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

}  // namespace
}  // namespace autopxe::agent
