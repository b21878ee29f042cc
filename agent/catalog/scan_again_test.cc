#include <cstdio>
#include <string>

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

TEST(ScanAgainTest, WhatIsBeingWrittenIsLeftOutUntilItHasBeenQuiet) {
  TestTree tree;
  const LookTime start = Now();
  tree.AddKernel("debian/a", "6.0");
  tree.Write("rootfs/debian/a/boot/vmlinuz-6.1", "kernel");
  tree.WriteNow("rootfs/debian/a/boot/initrd.img-6.1", "ini");
  Scanner scanner(tree.folders(), nullptr);
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

TEST(ScanAgainTest, WhatItsWriterHasClosedIsOfferedAtOnce) {
  TestTree tree;
  const LookTime start = Now();
  Scanner scanner(tree.folders(), nullptr);
  tree.WriteNow("rootfs/debian/a/boot/vmlinuz-6.1", "kernel");
  tree.WriteNow("rootfs/debian/a/boot/initrd.img-6.1", "initrd");
  TreeChanges changes = Everything();
  changes.closed = {"debian/a/boot/vmlinuz-6.1"};
  EXPECT_EQ(scanner.Run(changes, start)->catalog.KernelCount(), 0u);
  changes.closed = {"debian/a/boot/initrd.img-6.1"};
  EXPECT_EQ(scanner.Run(changes, start)->catalog.KernelCount(), 2u);
}

TEST(ScanAgainTest, WhatItsWriterHoldsOpenIsLeftOutHoweverLongItPauses) {
  TestTree tree;
  const LookTime start = Now();
  tree.AddKernel("debian/a", "6.1");
  Scanner scanner(tree.folders(), nullptr);
  const auto count = [&](const TreeChanges& changes, absl::Duration later) {
    return scanner.Run(changes, {.wall = start.wall + later, .monotonic = start.monotonic + later})
        ->catalog.KernelCount();
  };
  TreeChanges changes;
  changes.releases = {"debian/a"};
  changes.written = {"debian/a/boot/initrd.img-6.1"};
  EXPECT_EQ(count(changes, absl::ZeroDuration()), 0u);
  EXPECT_EQ(count(TreeChanges(), 2 * kQuiet), 0u);
  EXPECT_EQ(count(Everything(), kHeldOpen - absl::Seconds(1)), 0u);
  EXPECT_EQ(count(TreeChanges(), kHeldOpen), 2u);
  // Written again: the same size, within one tick of the clock.
  EXPECT_EQ(count(changes, kHeldOpen), 0u);
  changes.written.clear();
  changes.closed = {"debian/a/boot/initrd.img-6.1"};
  EXPECT_EQ(count(changes, kHeldOpen), 2u);
}

// A file server whose clock is behind writes the half of a file with an old time.
TEST(ScanAgainTest, WhatComesIntoAKnownReleaseIsWatchedForQuietWhateverItsTimeSays) {
  TestTree tree;
  const LookTime start = Now();
  tree.AddKernel("debian/a", "6.1");
  Scanner scanner(tree.folders(), nullptr);
  const auto count = [&](absl::Duration later) {
    return scanner
        .Run(Everything(), {.wall = start.wall + later, .monotonic = start.monotonic + later})
        ->catalog.KernelCount();
  };
  EXPECT_EQ(count(absl::ZeroDuration()), 2u);
  tree.AddKernel("debian/a", "6.2");  // An hour old.
  EXPECT_EQ(count(absl::Minutes(1)), 2u);
  EXPECT_EQ(count(absl::Minutes(1) + kQuiet), 4u);
  // Another release in the place of this one was elsewhere before.
  tree.AddKernel("../new", "6.3");
  tree.Remove("rootfs/debian/a");
  ASSERT_EQ(rename((tree.folder() + "/new").c_str(), (tree.rootfs() + "/debian/a").c_str()), 0);
  EXPECT_EQ(count(absl::Minutes(1) + kQuiet), 2u);
}

TEST(ScanAgainTest, OnlyReleasesThatAreSaidToHaveChangedAreReadAgain) {
  TestTree tree;
  tree.AddKernel("debian/a", "6.1");
  tree.AddKernel("debian/b", "6.1");
  tree.Link("rootfs/debian/c", "a");
  Scanner scanner(tree.folders(), nullptr);
  const LookTime start = Now();
  const auto count = [&](const TreeChanges& changes, absl::Duration later = kQuiet) {
    return scanner.Run(changes, {.wall = start.wall + later, .monotonic = start.monotonic + later})
        ->catalog.KernelCount();
  };
  EXPECT_EQ(count(TreeChanges()), 6u);
  tree.AddKernel("debian/a", "6.2");
  tree.AddKernel("debian/b", "6.2");
  EXPECT_EQ(count(TreeChanges()), 6u);
  TreeChanges changes;
  changes.releases = {"debian/b"};
  EXPECT_EQ(count(changes), 6u);
  // One that is not settled is, too.
  EXPECT_EQ(count(TreeChanges(), 2 * kQuiet), 8u);
  EXPECT_EQ(count(Everything(), 2 * kQuiet), 8u);
  EXPECT_EQ(count(TreeChanges(), 3 * kQuiet), 12u);
  // What is new or gone at the upper levels shows without being said.
  tree.AddKernel("debian/d", "6.1");
  tree.Remove("rootfs/debian/b");
  EXPECT_EQ(count(TreeChanges()), 10u);
}

TEST(ScanAgainTest, AScanThatFailsForgetsNothing) {
  TestTree tree;
  tree.AddKernel("debian/a", "6.1");
  Scanner scanner(tree.folders(), nullptr);
  ASSERT_THAT(scanner.Run(Everything(), Now()), IsOk());
  tree.Remove("loaders");
  EXPECT_THAT(scanner.Run(Everything(), Now()), StatusIs(absl::StatusCode::kNotFound));
  tree.MakeFolder("loaders");
  EXPECT_EQ(scanner.Run(TreeChanges(), Now())->catalog.KernelCount(), 2u);
}

}  // namespace
}  // namespace autopxe::agent
