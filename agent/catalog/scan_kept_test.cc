#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "agent/catalog/scan.h"
#include "agent/catalog/test_scan.h"
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
using ::testing::Not;
using ::testing::SizeIs;

// Calls it on a thread for which this system call fails with `error`: a disk that can't be read.
void WithFailing(long system_call, int error, absl::FunctionRef<void()> call) {
  std::thread([&] {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(system_call), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program = {.len = 4, .filter = filter};
    ASSERT_EQ(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), 0);
    call();
  }).join();
}

class ScanKeptTest : public testing::Test {
 protected:
  ScanKeptTest() : scanner_(tree_.folders(), nullptr) {
    tree_.AddKernel("debian/a", "6.1");
    tree_.AddKernel("debian/b", "6.1");
    tree_.Link("rootfs/debian/stable", "a");
    tree_.Link("rootfs/debian/a/vmlinuz", "boot/vmlinuz-6.1");
    tree_.Link("rootfs/debian/a/initrd.img", "boot/initrd.img-6.1");
  }

  Scan Run(const TreeChanges& changes) {
    absl::StatusOr<Scan> scan = scanner_.Run(changes, Now());
    EXPECT_THAT(scan, IsOk());
    return *std::move(scan);
  }

  TestTree tree_;
  Scanner scanner_;
};

TEST_F(ScanKeptTest, AReleaseThatCantBeReadForWantOfDescriptorsIsOfferedAsItWas) {
  const Scan before = Run(Everything());
  ASSERT_EQ(before.catalog.KernelCount(), 8u);
  const struct {
    int descriptors;
    std::vector<std::string> warnings;
  } kCases[] = {
      // The root, and what is for its list too: the distro; its list.
      {2, {"debian: can't be read: Too many open files (kept)"}},
      // The release's folder too: not its folder boot.
      {3,
       {"debian/a: its folder boot can't be read: Too many open files (kept)",
        "debian/b: its folder boot can't be read: Too many open files (kept)"}},
      // The folder boot too, but not its list.
      {4,
       {"debian/a: its folder boot can't be read: Too many open files (kept)",
        "debian/b: its folder boot can't be read: Too many open files (kept)"}},
  };
  for (const auto& c : kCases) {
    Scan scan;
    WithDescriptors(c.descriptors, [&] { scan = Run(Everything()); });
    EXPECT_EQ(scan.catalog, before.catalog) << c.descriptors;
    EXPECT_EQ(Warned(scan), c.warnings) << c.descriptors;
    EXPECT_FALSE(scan.is_settled) << c.descriptors;
  }
  // Looked at again by the next scan, whatever it is for.
  const Scan after = Run(TreeChanges());
  EXPECT_EQ(after.catalog, before.catalog);
  EXPECT_THAT(after.warnings, IsEmpty());
  EXPECT_TRUE(after.is_settled);
}

TEST_F(ScanKeptTest, AReleaseThatCouldNotBeReadAtFirstIsLookedAtAgain) {
  Scan scan;
  WithDescriptors(3, [&] { scan = Run(Everything()); });
  EXPECT_EQ(scan.catalog, Catalog());
  EXPECT_THAT(Warned(scan), Contains("debian/a: its folder boot can't be read: Too many open "
                                     "files"));
  EXPECT_FALSE(scan.is_settled);
  EXPECT_EQ(Run(TreeChanges()).catalog.KernelCount(), 8u);
}

TEST_F(ScanKeptTest, WhatIsGoneIsNotKept) {
  ASSERT_EQ(Run(Everything()).catalog.KernelCount(), 8u);
  tree_.Remove("rootfs/debian/b/boot");
  EXPECT_EQ(Run(Everything()).catalog.KernelCount(), 6u);
  tree_.Write("rootfs/debian/b/boot", "a file");
  EXPECT_EQ(Run(Everything()).catalog.KernelCount(), 6u);
  tree_.Remove("rootfs/debian/b/boot");
  tree_.Link("rootfs/debian/b/boot", "boot");
  EXPECT_EQ(Run(Everything()).catalog.KernelCount(), 6u);
  tree_.Remove("rootfs/debian");
  EXPECT_EQ(Run(Everything()).catalog.KernelCount(), 0u);
}

TEST_F(ScanKeptTest, AReleaseThatForbidsToBeReadIsKeptAndShowsByWhatChanges) {
  const Scan before = Run(Everything());
  ASSERT_EQ(chmod((tree_.rootfs() + "/debian/a/boot").c_str(), 0), 0);
  ASSERT_EQ(chmod((tree_.rootfs() + "/debian/b").c_str(), 0), 0);
  for (int i = 0; i < 2; ++i) {
    Scan scan;
    WithoutPrivileges([&] { scan = Run(Everything()); });
    EXPECT_EQ(scan.catalog, before.catalog);
    EXPECT_THAT(Warned(scan),
                ElementsAre("debian/a: its folder boot can't be read: Permission denied (kept)",
                            "debian/b: can't be read: Permission denied (kept)"));
    EXPECT_TRUE(scan.is_settled);
  }
  ASSERT_EQ(chmod((tree_.rootfs() + "/debian/a/boot").c_str(), 0700), 0);
  ASSERT_EQ(chmod((tree_.rootfs() + "/debian/b").c_str(), 0700), 0);
  EXPECT_THAT(Run(Everything()).warnings, IsEmpty());
}

TEST_F(ScanKeptTest, AnotherReleaseInThePlaceOfOneIsNotMistakenForIt) {
  ASSERT_EQ(Run(Everything()).catalog.KernelCount(), 8u);
  tree_.MakeFolder("new/boot");
  tree_.Remove("rootfs/debian/b");
  ASSERT_EQ(rename((tree_.folder() + "/new").c_str(), (tree_.rootfs() + "/debian/b").c_str()), 0);
  Scan scan;
  WithDescriptors(3, [&] { scan = Run(Everything()); });
  EXPECT_EQ(scan.catalog.KernelCount(), 6u);
}

TEST_F(ScanKeptTest, FoldersThatCouldNotBeReadAreStillWatched) {
  const auto watch = TreeWatch::Open();
  ASSERT_THAT(watch, IsOk());
  Scanner scanner(tree_.folders(), watch->get());
  ASSERT_THAT(scanner.Run(Everything(), Now()), IsOk());
  WithDescriptors(2, [&] { EXPECT_THAT(scanner.Run(Everything(), Now()), IsOk()); });
  tree_.AddKernel("debian/a", "6.2");
  TreeChanges changes;
  EXPECT_TRUE((*watch)->Read(changes));
  EXPECT_TRUE(changes.closed.contains("debian/a/boot/vmlinuz-6.2"));
}

TEST_F(ScanKeptTest, AKernelWhoseHeaderCouldNotBeReadIsReadByTheNextScan) {
  tree_.Write("rootfs/debian/b/boot/vmlinuz-6.1", BzImage(8192));
  Scan scan;
  WithFailing(SYS_pread64, EIO, [&] { scan = Run(Everything()); });
  EXPECT_EQ(scan.catalog, Catalog());
  EXPECT_THAT(Warned(scan),
              Contains("debian/b/boot/vmlinuz-6.1: can't be read: Input/output error"));
  EXPECT_FALSE(scan.is_settled);
  scan = Run(TreeChanges());
  EXPECT_EQ(scan.catalog.KernelCount(), 8u);
  EXPECT_EQ(scan.catalog.FindRelease("debian", "b")->kernels.at(0).architecture,
            Architecture::kX86_64);
  EXPECT_TRUE(scan.is_settled);
}

TEST_F(ScanKeptTest, AKernelThatCantBeReadNowIsOfferedAsItWasAsLongAsItIsTheSame) {
  const Scan before = Run(Everything());
  // Something about it that is not its bytes: it is opened again.
  ASSERT_EQ(chmod((tree_.rootfs() + "/debian/a/boot/vmlinuz-6.1").c_str(), 0640), 0);
  ASSERT_EQ(chmod((tree_.rootfs() + "/debian/b/boot/vmlinuz-6.1").c_str(), 0640), 0);
  Scan scan;
  WithFailing(SYS_pread64, EIO, [&] { scan = Run(Everything()); });
  EXPECT_EQ(scan.catalog, before.catalog);
  EXPECT_THAT(Warned(scan),
              ElementsAre("debian/a/boot/vmlinuz-6.1: can't be read: Input/output error (kept)",
                          "debian/a/vmlinuz: can't be read: Input/output error (kept)",
                          "debian/b/boot/vmlinuz-6.1: can't be read: Input/output error (kept)"));
  EXPECT_FALSE(scan.is_settled);
  tree_.WriteNow("rootfs/debian/b/boot/vmlinuz-6.1", "another");
  WithFailing(SYS_pread64, EIO, [&] { scan = Run(Everything()); });
  EXPECT_EQ(scan.catalog.KernelCount(), 6u);
  EXPECT_THAT(Listed(scan.catalog), Not(Contains(HasSubstr("debian/b/"))));
}

std::vector<std::string> Paths(const Catalog& catalog) {
  std::vector<std::string> paths;
  for (const CatalogFile& file : catalog.files) paths.push_back(file.path);
  return paths;
}

// The system refuses to look for what the link leads to: an error that tells as little about what
// is there as that of a file server which is away.
TEST_F(ScanKeptTest, FilesAreOfferedWhileTheirFolderCantBeReadAndNewKernelsShow) {
  tree_.Write("files/fw/update.efi", "1");
  tree_.Write("files/memtest", "1");
  ASSERT_THAT(Paths(Run(Everything()).catalog), ElementsAre("fw/update.efi", "memtest"));
  const std::string away = tree_.folder() + "/away";
  ASSERT_EQ(rename(tree_.files().c_str(), away.c_str()), 0);
  tree_.Link("files", std::string(256, 'x'));
  tree_.AddKernel("debian/c", "6.1");
  for (const TreeChanges& changes : {Everything(), TreeChanges(), Everything()}) {
    const Scan scan = Run(changes);
    EXPECT_THAT(Paths(scan.catalog), ElementsAre("fw/update.efi", "memtest"));
    EXPECT_EQ(scan.catalog.KernelCount(), 10u);
    EXPECT_THAT(Warned(scan), ElementsAre("files/: can't be read: File name too long (kept)"));
    EXPECT_FALSE(scan.is_settled);
  }
  tree_.Remove("files");
  tree_.Remove("away/fw");
  ASSERT_EQ(rename(away.c_str(), tree_.files().c_str()), 0);
  // Looked at again by the next scan, whatever it is for.
  const Scan after = Run(TreeChanges());
  EXPECT_THAT(Paths(after.catalog), ElementsAre("memtest"));
  EXPECT_THAT(after.warnings, IsEmpty());
  EXPECT_TRUE(after.is_settled);
}

TEST_F(ScanKeptTest, AFolderOfFilesThatForbidsToBeReadIsKeptAndShowsByWhatChanges) {
  tree_.Write("files/memtest", "1");
  const Scan before = Run(Everything());
  ASSERT_EQ(chmod(tree_.files().c_str(), 0), 0);
  for (int i = 0; i < 2; ++i) {
    Scan scan;
    WithoutPrivileges([&] { scan = Run(Everything()); });
    EXPECT_EQ(scan.catalog, before.catalog);
    EXPECT_THAT(Warned(scan), ElementsAre("files/: can't be read: Permission denied (kept)"));
    EXPECT_TRUE(scan.is_settled);
  }
  ASSERT_EQ(chmod(tree_.files().c_str(), 0700), 0);
  EXPECT_THAT(Run(Everything()).warnings, IsEmpty());
}

TEST_F(ScanKeptTest, AFolderOfFilesThatIsGoneOrWasNeverReadIsAnError) {
  tree_.Write("files/memtest", "1");
  ASSERT_THAT(Run(Everything()).catalog.files, SizeIs(1));
  tree_.Remove("files");
  EXPECT_THAT(scanner_.Run(Everything(), Now()),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("folder of files")));
  tree_.Link("files", std::string(256, 'x'));
  // Nothing has been forgotten.
  EXPECT_THAT(Run(Everything()).catalog.files, SizeIs(1));
  const absl::StatusOr<Scan> first = Scanner(tree_.folders(), nullptr).Run(Everything(), Now());
  EXPECT_EQ(first.status().message(),
            absl::StrCat("folder of files ", tree_.files(), ": File name too long"));
}

}  // namespace
}  // namespace autopxe::agent
