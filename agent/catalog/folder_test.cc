#include "agent/catalog/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "agent/catalog/test_tree.h"
#include "common/status/status_macros.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string ReadInside(const Folder& folder, const std::string& path) {
  const absl::StatusOr<int> fd = folder.OpenFileInside(path);
  if (!fd.ok()) return absl::StrCat("error: ", fd.status().message());
  char bytes[64];
  const ssize_t count = read(*fd, bytes, sizeof bytes);
  close(*fd);
  return count < 0 ? "error: read" : std::string(bytes, static_cast<size_t>(count));
}

TEST(FolderTest, ListsWhatIsThereInTheOrderOfNames) {
  TestTree tree;
  tree.Write("rootfs/b", "");
  tree.MakeFolder("rootfs/c");
  tree.Link("rootfs/a", "nowhere");
  tree.Write("rootfs/.hidden", "");
  ASSERT_EQ(mkfifo((tree.rootfs() + "/d").c_str(), 0600), 0);
  const auto folder = Folder::Open(tree.rootfs());
  ASSERT_THAT(folder, IsOk());
  // Twice: a list has a position of its own.
  for (int i = 0; i < 2; ++i) {
    const auto entries = folder->List();
    ASSERT_THAT(entries, IsOk());
    EXPECT_EQ(absl::StrJoin(*entries, " ",
                            [](std::string* out, const Folder::Entry& entry) {
                              absl::StrAppend(out, entry.name, ":", static_cast<int>(entry.kind));
                            }),
              ".hidden:0 a:2 b:0 c:1 d:3");
  }
}

// Faults, case 2: a symbolic link that points outside.
TEST(FolderTest, LinksAreFollowedInsideOnly) {
  TestTree tree;
  tree.Write("secret", "outside");
  tree.Write("rootfs/release/boot/file", "inside");
  tree.Write("rootfs/release/secret", "inside too");
  tree.Link("rootfs/release/relative", "boot/file");
  tree.Link("rootfs/release/absolute", "/boot/file");
  tree.Link("rootfs/release/up", "../../secret");
  tree.Link("rootfs/release/out", tree.folder() + "/secret");
  tree.Link("rootfs/release/folder", "..");
  tree.Link("rootfs/release/magic", "/proc/self/exe");
  tree.Link("rootfs/release/loop", "loop");
  const auto release = Folder::Open(tree.rootfs() + "/release");
  ASSERT_THAT(release, IsOk());
  EXPECT_EQ(ReadInside(*release, "boot/file"), "inside");
  EXPECT_EQ(ReadInside(*release, "relative"), "inside");
  EXPECT_EQ(ReadInside(*release, "absolute"), "inside");
  // Above the release there is only the release: this is its own `secret`.
  EXPECT_EQ(ReadInside(*release, "up"), "inside too");
  EXPECT_EQ(ReadInside(*release, "folder/secret"), "inside too");
  EXPECT_EQ(ReadInside(*release, "../../secret"), "inside too");
  EXPECT_EQ(ReadInside(*release, "out"), "error: No such file or directory");
  EXPECT_EQ(ReadInside(*release, "magic"), "error: No such file or directory");
  EXPECT_THAT(ReadInside(*release, "loop"), HasSubstr("error: "));
}

TEST(FolderTest, AnOpenOfWhatIsRealFailsOnAnyLink) {
  TestTree tree;
  tree.MakeFolder("rootfs/debian/bookworm/boot");
  tree.Link("rootfs/debian/stable", "bookworm");
  tree.Link("rootfs/linked", "debian");
  const auto root = Folder::Open(tree.rootfs());
  ASSERT_THAT(root, IsOk());
  EXPECT_THAT(root->OpenReal("debian/bookworm"), IsOk());
  EXPECT_THAT(root->OpenReal("debian/stable"), Not(IsOk()));
  EXPECT_THAT(root->OpenReal("linked/bookworm"), Not(IsOk()));
  EXPECT_THAT(root->OpenReal("debian/../../loaders"), Not(IsOk()));
  EXPECT_THAT(root->OpenInside("debian/stable"), IsOk());
  EXPECT_THAT(root->OpenInside("debian/nothing"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(FolderTest, TheRealNameIsThatOfTheRegularFileALinkLeadsTo) {
  TestTree tree;
  tree.Write("rootfs/file", "");
  tree.MakeFolder("rootfs/folder");
  tree.Link("rootfs/link", "file");
  ASSERT_EQ(mkfifo((tree.rootfs() + "/pipe").c_str(), 0600), 0);
  const auto folder = Folder::Open(tree.rootfs());
  ASSERT_THAT(folder, IsOk());
  const auto real_name = [&](const std::string& path) -> absl::StatusOr<std::string> {
    ASSIGN_OR_RETURN(const int fd, folder->OpenFileInside(path));
    absl::StatusOr<std::string> name = RealNameOf(fd);
    close(fd);
    return name;
  };
  EXPECT_THAT(real_name("file"), IsOkAndHolds("file"));
  EXPECT_THAT(real_name("link"), IsOkAndHolds("file"));
  EXPECT_THAT(real_name("folder"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"));
  // Does not wait for somebody to write into it.
  EXPECT_THAT(real_name("pipe"),
              StatusIs(absl::StatusCode::kFailedPrecondition, "not a regular file"));
  EXPECT_THAT(real_name("none"), StatusIs(absl::StatusCode::kNotFound));
}

TEST(FolderTest, ALinkHasTheIdentityOfWhatItLeadsTo) {
  TestTree tree;
  tree.MakeFolder("rootfs/a");
  tree.MakeFolder("rootfs/b");
  tree.Link("rootfs/link", tree.rootfs() + "/a");
  const auto folder = Folder::Open(tree.rootfs());
  ASSERT_THAT(folder, IsOk());
  const auto a = folder->OpenReal("a");
  ASSERT_THAT(a, IsOk());
  EXPECT_EQ(*folder->IdentifyTarget("link"), *a->Identify());
  EXPECT_NE(*folder->IdentifyTarget("b"), *a->Identify());
  EXPECT_THAT(folder->IdentifyTarget("none"), Not(IsOk()));
}

TEST(FolderTest, WhatIsNoFolderDoesNotOpen) {
  TestTree tree;
  tree.Write("file", "");
  EXPECT_THAT(Folder::Open(tree.folder() + "/file"), Not(IsOk()));
  EXPECT_THAT(Folder::Open(tree.folder() + "/none"),
              StatusIs(absl::StatusCode::kNotFound, "No such file or directory"));
}

}  // namespace
}  // namespace autopxe::agent
