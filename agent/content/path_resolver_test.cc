#include "agent/content/path_resolver.h"

#include <dirent.h>
#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/content/test_resolver.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

int OpenDescriptors() {
  int count = 0;
  DIR* const folder = opendir("/proc/self/fd");
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

TEST_F(PathResolverTest, AFolderThatCantBeOpenedIsNamed) {
  EXPECT_THAT(
      PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1")},
                          .folders = {.rootfs = "/none", .loaders = tree_.loaders(), .files = ""}},
                         view_, catalog_),
      StatusIs(absl::StatusCode::kNotFound, "rootfs folder /none: No such file or directory"));
  EXPECT_THAT(
      PathResolver::Open({.agent = {.id = Parsed<AgentId>("a1")},
                          .folders = {.rootfs = tree_.rootfs(), .loaders = "/none", .files = ""}},
                         view_, catalog_),
      StatusIs(absl::StatusCode::kNotFound, "loaders folder /none: No such file or directory"));
  EXPECT_THAT(
      PathResolver::Open(
          {.agent = {.id = Parsed<AgentId>("a1")},
           .folders = {.rootfs = tree_.rootfs(), .loaders = tree_.loaders(), .files = "/none"}},
          view_, catalog_),
      StatusIs(absl::StatusCode::kNotFound, "folder of files /none: No such file or directory"));
}

TEST_F(PathResolverTest, CataloguedFilesAreServed) {
  const struct {
    std::string asked;
    std::string path;
    std::string result;
    std::string bytes;
  } kCases[] = {
      {"boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64",
       "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "kernel", "kernel 6.1.0-25-amd64"},
      {"/boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64",
       "boot/debian/bookworm/boot/initrd.img-6.1.0-25-amd64", "initrd", "initrd 6.1.0-25-amd64"},
      // An alias is its release.
      {"boot/debian/stable/boot/vmlinuz-6.1.0-26-amd64",
       "boot/debian/bookworm/boot/vmlinuz-6.1.0-26-amd64", "kernel", "kernel 6.1.0-26-amd64"},
      // Debian's `default`: links inside the release.
      {"boot/debian/bookworm/vmlinuz", "boot/debian/bookworm/vmlinuz", "kernel",
       "kernel 6.1.0-26-amd64"},
      {"boot/debian/stable/initrd.img", "boot/debian/bookworm/initrd.img", "initrd",
       "initrd 6.1.0-26-amd64"},
      {"undionly.kpxe", "undionly.kpxe", "loader", "bios ipxe"},
      {"/ipxe.efi", "ipxe.efi", "loader", "uefi ipxe"},
  };
  for (const auto& c : kCases) {
    SCOPED_TRACE(c.asked);
    const auto resolved = Resolve(c.asked);
    ASSERT_THAT(resolved, IsOk());
    EXPECT_EQ(resolved->path, c.path);
    EXPECT_EQ(resolved->result, c.result);
    EXPECT_EQ(Bytes(*resolved->content), c.bytes);
    EXPECT_TRUE(resolved->cacheable);
    EXPECT_EQ(resolved->host, absl::nullopt);
  }
}

// Faults, cases 1 and 17.
TEST_F(PathResolverTest, NothingElseIsServed) {
  for (const std::string path :
       {"boot/debian/bookworm/etc/shadow", "boot/debian/bookworm/boot/System.map-6.1.0-26-amd64",
        "boot/debian/bookworm/boot", "boot/debian/bookworm/boot/vmlinuz-9",
        "boot/debian/none/boot/vmlinuz-6.1.0-25-amd64", "boot/none/bookworm/vmlinuz",
        "boot/ubuntu/jammy/vmlinuz", "boot/ubuntu/bookworm/boot/vmlinuz-6.1.0-25-amd64",
        "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "notes.txt", "none.efi", "secret", "rootfs",
        "grub/x86_64-efi/command.lst"}) {
    EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kNotFound,
                                        absl::StrCat("path \"", path, "\": no such file")));
  }
}

// Faults, case 1.
TEST_F(PathResolverTest, TraversalIsRefusedAndNamesNoPathOfTheAgent) {
  for (const std::string path :
       {"../secret", "../../etc/passwd", "/../secret", "boot/../secret",
        "boot/debian/bookworm/../../../secret", "boot/debian/bookworm/boot/../etc/shadow",
        "boot/debian/bookworm/./etc/shadow", "boot\\..\\secret", "%2e%2e/secret",
        "boot/%2e%2e/secret", "//etc/passwd", "boot/debian//bookworm/etc/shadow", "..", ""}) {
    EXPECT_THAT(Resolve(path),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(StartsWith("path \""), Not(HasSubstr(tree_.folder())))))
        << path;
  }
}

// Faults, case 2: swapped after the scan for a link that leads out.
TEST_F(PathResolverTest, ALinkThatLeadsOutIsNotFollowed) {
  const std::string kernel = "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  for (const std::string& target :
       {tree_.folder() + "/secret", std::string("../../../../secret"), std::string("/etc/passwd"),
        std::string("/proc/self/root/etc/passwd")}) {
    tree_.Remove("rootfs/" + kernel);
    tree_.Link("rootfs/" + kernel, target);
    EXPECT_THAT(Resolve("boot/" + kernel),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("can't be read now"), Not(HasSubstr(tree_.folder())))))
        << target;
  }
  tree_.Remove("loaders/ipxe.efi");
  tree_.Link("loaders/ipxe.efi", tree_.folder() + "/secret");
  EXPECT_THAT(Resolve("ipxe.efi"), StatusIs(absl::StatusCode::kUnavailable));
}

// Faults, case 2: swapped after the scan for a link into the tree around the boot files.
TEST_F(PathResolverTest, ALinkToWhatIsNoBootFileIsNotFollowed) {
  for (const auto& [path, target] : std::vector<std::pair<std::string, std::string>>{
           {"debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "../etc/shadow"},
           {"debian/bookworm/boot/initrd.img-6.1.0-25-amd64", "/etc/shadow"},
           {"debian/bookworm/vmlinuz", "etc/shadow"}}) {
    tree_.Remove("rootfs/" + path);
    tree_.Link("rootfs/" + path, target);
    EXPECT_THAT(Resolve("boot/" + path),
                StatusIs(absl::StatusCode::kUnavailable, HasSubstr("not named as a kernel")));
  }
}

// Faults, case 2.
TEST_F(PathResolverTest, AFolderThatIsSwappedForALinkIsNotFollowed) {
  tree_.AddKernel("../outside/bookworm", "6.1.0-25-amd64");
  tree_.Remove("rootfs/debian");
  tree_.Link("rootfs/debian", tree_.folder() + "/outside");
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
              StatusIs(absl::StatusCode::kUnavailable));
  tree_.Remove("rootfs/debian");
  tree_.MakeFolder("rootfs/debian");
  tree_.Link("rootfs/debian/bookworm", tree_.folder() + "/outside/bookworm");
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
              StatusIs(absl::StatusCode::kUnavailable));
}

// Faults, case 2: an open transfer keeps the old content.
TEST_F(PathResolverTest, AFileThatIsSwappedLaterIsServedAsItWasOpened) {
  const std::string kernel = "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  const auto resolved = Resolve("boot/" + kernel);
  ASSERT_THAT(resolved, IsOk());
  tree_.Remove("rootfs/" + kernel);
  tree_.Link("rootfs/" + kernel, tree_.folder() + "/secret");
  EXPECT_EQ(Bytes(*resolved->content), "kernel 6.1.0-25-amd64");
}

// Faults, case 19: overwritten in place, before it is asked for.
TEST_F(PathResolverTest, AFileThatHasNotTheSizeThatWasCataloguedIsNotServed) {
  for (const std::string file : {"boot/vmlinuz-6.1.0-26-amd64", "boot/initrd.img-6.1.0-26-amd64"}) {
    tree_.WriteNow("rootfs/debian/bookworm/" + file, "half");
    EXPECT_THAT(Resolve("boot/debian/bookworm/" + file),
                StatusIs(absl::StatusCode::kUnavailable,
                         AllOf(HasSubstr("it has 4 bytes, and "), Not(HasSubstr(tree_.folder())))))
        << file;
  }
  EXPECT_EQ(doubts_, 2);
  // By the links of `default` and by an alias too.
  for (const std::string path : {"boot/debian/bookworm/vmlinuz", "boot/debian/bookworm/initrd.img",
                                 "boot/debian/stable/boot/vmlinuz-6.1.0-26-amd64"}) {
    EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kUnavailable)) << path;
  }
  EXPECT_EQ(doubts_, 5);
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"), IsOk());
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-27-amd64"),
              StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(doubts_, 5);
  // Of loaders the catalog has no size.
  tree_.WriteNow("loaders/ipxe.efi", "a new one");
  EXPECT_EQ(Bytes(*Resolve("ipxe.efi")->content), "a new one");
  // The new size is known after a scan.
  tree_.Write("rootfs/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64", "another kernel");
  EXPECT_THAT(Resolve("boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64"),
              StatusIs(absl::StatusCode::kUnavailable));
  LiveCatalog rescanned(tree_.folders());
  ASSERT_THAT(rescanned.Rescan(), IsOk());
  EXPECT_EQ(rescanned.Current()
                ->FindRelease("debian", "bookworm")
                ->FindKernel("6.1.0-25-amd64")
                ->kernel_size,
            14);
}

TEST_F(PathResolverTest, OnlyARegularFileIsServedAndNobodyWaitsForAPipe) {
  const std::string kernel = "debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  tree_.Remove("rootfs/" + kernel);
  ASSERT_EQ(mkfifo((tree_.rootfs() + "/" + kernel).c_str(), 0600), 0);
  EXPECT_THAT(Resolve("boot/" + kernel),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("regular")));
  tree_.Remove("rootfs/" + kernel);
  tree_.MakeFolder("rootfs/" + kernel);
  EXPECT_THAT(Resolve("boot/" + kernel), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(PathResolverTest, ATreeThatIsMountedAnewIsSeen) {
  tree_.Remove("rootfs");
  const std::string path = "boot/debian/bookworm/boot/vmlinuz-6.1.0-25-amd64";
  EXPECT_THAT(Resolve(path), StatusIs(absl::StatusCode::kUnavailable));
  tree_.AddKernel("debian/bookworm", "6.1.0-25-amd64");
  EXPECT_THAT(Resolve(path), IsOk());
}

TEST_F(PathResolverTest, NoDescriptorStaysOpen) {
  Configure({});
  const int before = OpenDescriptors();
  for (int i = 0; i < 50; ++i) {
    for (const std::string path :
         {"boot/debian/bookworm/vmlinuz", "boot/debian/bookworm/etc/shadow", "ipxe.efi",
          "../secret", "autopxe-bc2411b01ade", "boot.ipxe"}) {
      Resolve(path).IgnoreError();
    }
  }
  EXPECT_EQ(OpenDescriptors(), before);
}

}  // namespace
}  // namespace autopxe::agent
