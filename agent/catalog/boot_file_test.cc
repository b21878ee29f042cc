#include "agent/catalog/boot_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

class BootFileTest : public testing::Test {
 protected:
  BootFileTest() { tree_.AddKernel("debian/bookworm", "6.1.0-25-amd64"); }

  std::string Release() const { return tree_.rootfs() + "/debian/bookworm"; }

  void Link(const std::string& path, const std::string& target) const {
    tree_.Link("rootfs/debian/bookworm/" + path, target);
  }

  absl::StatusOr<int> OpenNamed(const std::string& path) const {
    auto release = Folder::Open(Release());
    if (!release.ok()) return release.status();
    absl::StatusOr<int> fd = OpenBootFile(*release, path);
    if (fd.ok()) close(*fd);
    return fd;
  }

  TestTree tree_;
};

TEST_F(BootFileTest, AFileAndALinkToABootFileAreOpened) {
  Link("vmlinuz", "boot/vmlinuz-6.1.0-25-amd64");
  Link("initrd.img", "/boot/initrd.img-6.1.0-25-amd64");  // Absolute: inside the release.
  Link("again", "vmlinuz");
  tree_.Write("rootfs/debian/bookworm/boot/vmlinuz", "a file of that name");
  for (const char* path : {"boot/vmlinuz-6.1.0-25-amd64", "boot/initrd.img-6.1.0-25-amd64",
                           "vmlinuz", "initrd.img", "again", "boot/vmlinuz"}) {
    EXPECT_THAT(OpenNamed(path), IsOk()) << path;
  }
}

// Faults, case 2.
TEST_F(BootFileTest, ALinkToAnythingElseOfTheReleaseIsRefused) {
  tree_.Write("rootfs/debian/bookworm/etc/shadow", "root:secret");
  Link("vmlinuz", "etc/shadow");
  Link("initrd.img", "/etc/shadow");
  Link("boot/vmlinuz-9", "../etc/shadow");
  Link("etc/vmlinuz-9", "shadow");
  Link("boot/vmlinuz-10", "../etc/vmlinuz-9");
  for (const char* path :
       {"vmlinuz", "initrd.img", "boot/vmlinuz-9", "boot/vmlinuz-10", "etc/shadow"}) {
    EXPECT_THAT(OpenNamed(path),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not named as a kernel")))
        << path;
  }
}

TEST_F(BootFileTest, WhatIsNoRegularFileIsRefused) {
  ASSERT_EQ(mkfifo((Release() + "/boot/vmlinuz-1").c_str(), 0600), 0);
  tree_.MakeFolder("rootfs/debian/bookworm/boot/vmlinuz-2");
  for (const char* path : {"boot/vmlinuz-1", "boot/vmlinuz-2"}) {
    EXPECT_THAT(OpenNamed(path),
                StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"))
        << path;
  }
  EXPECT_THAT(OpenNamed("boot/vmlinuz-3"), StatusIs(absl::StatusCode::kNotFound));
}

}  // namespace
}  // namespace autopxe::agent
