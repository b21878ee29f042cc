#include "agent/catalog/tree_watch.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Level = TreeWatch::Level;

class TreeWatchTest : public testing::Test {
 protected:
  TreeWatchTest() { tree_.AddKernel("debian/a", "6.1"); }

  void Open(size_t max_watches = 100) {
    auto watch = TreeWatch::Open(max_watches);
    ASSERT_THAT(watch, IsOk());
    watch_ = *std::move(watch);
    WatchAll();
  }

  void Watch(const std::string& folder, Level level, const std::string& path) {
    const auto opened = Folder::Open(folder);
    ASSERT_THAT(opened, IsOk());
    watch_->Add(*opened, level, path);
  }

  void WatchAll() {
    Watch(tree_.rootfs(), Level::kRoot, "");
    Watch(tree_.rootfs() + "/debian", Level::kDistro, "debian");
    Watch(tree_.rootfs() + "/debian/a", Level::kRelease, "debian/a");
    Watch(tree_.rootfs() + "/debian/a/boot", Level::kBoot, "debian/a");
    Watch(tree_.loaders(), Level::kLoaders, "");
  }

  void WatchFiles() {
    Watch(tree_.files(), Level::kFiles, "");
    Watch(tree_.files() + "/memtest", Level::kFiles, "memtest");
  }

  // What has happened since it was asked last.
  TreeChanges Read(bool matters = true) {
    TreeChanges changes;
    EXPECT_EQ(watch_->Read(changes), matters);
    return changes;
  }

  TestTree tree_;
  std::unique_ptr<TreeWatch> watch_;
};

TEST_F(TreeWatchTest, NothingIsToldOfWhatDoesNotChange) {
  Open();
  EXPECT_THAT(Read(false).releases, IsEmpty());
}

TEST_F(TreeWatchTest, AKernelThatIsWrittenOrMovedThereIsClosed) {
  Open();
  tree_.Write("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  tree_.Write("rootfs/debian/a/boot/initrd.img-6.2.new", "initrd");
  const std::string boot = tree_.rootfs() + "/debian/a/boot/";
  ASSERT_EQ(rename((boot + "initrd.img-6.2.new").c_str(), (boot + "initrd.img-6.2").c_str()), 0);
  const TreeChanges changes = Read();
  EXPECT_FALSE(changes.everything);
  EXPECT_THAT(changes.releases, UnorderedElementsAre("debian/a"));
  EXPECT_TRUE(changes.closed.contains("debian/a/boot/vmlinuz-6.2"));
  EXPECT_TRUE(changes.closed.contains("debian/a/boot/initrd.img-6.2"));
}

TEST_F(TreeWatchTest, AFileThatIsStillOpenIsNotClosedWhateverWasClosedBefore) {
  Open();
  tree_.Write("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  std::ofstream writer(tree_.rootfs() + "/debian/a/boot/vmlinuz-6.2", std::ios::app);
  writer << "more" << std::flush;
  EXPECT_FALSE(Read().closed.contains("debian/a/boot/vmlinuz-6.2"));
  writer << "and more" << std::flush;
  EXPECT_THAT(Read().closed, IsEmpty());
  writer.close();
  EXPECT_TRUE(Read().closed.contains("debian/a/boot/vmlinuz-6.2"));
}

TEST_F(TreeWatchTest, AFileThatIsWrittenIsNamedUntilItIsClosedMovedOrGone) {
  Open();
  const std::string boot = tree_.rootfs() + "/debian/a/boot/";
  std::ofstream closed(boot + "vmlinuz-6.2");
  closed << "kernel" << std::flush;
  std::ofstream moved(boot + "vmlinuz-6.3");
  moved << "kernel" << std::flush;
  std::ofstream removed(boot + "vmlinuz-6.4");
  removed << "kernel" << std::flush;
  // In place.
  std::ofstream old(boot + "vmlinuz-6.1", std::ios::in);
  old << "k" << std::flush;
  // Nobody writes to a link, so nobody closes it.
  ASSERT_EQ(link((boot + "initrd.img-6.1").c_str(), (boot + "initrd.img-6.5").c_str()), 0);
  TreeChanges changes = Read();
  EXPECT_THAT(changes.written,
              UnorderedElementsAre("debian/a/boot/vmlinuz-6.1", "debian/a/boot/vmlinuz-6.2",
                                   "debian/a/boot/vmlinuz-6.3", "debian/a/boot/vmlinuz-6.4"));
  EXPECT_THAT(changes.closed, IsEmpty());
  closed.close();
  ASSERT_EQ(rename((boot + "vmlinuz-6.3").c_str(), (boot + "vmlinuz-6.6").c_str()), 0);
  tree_.Remove("rootfs/debian/a/boot/vmlinuz-6.4");
  EXPECT_TRUE(watch_->Read(changes));
  EXPECT_THAT(changes.written, UnorderedElementsAre("debian/a/boot/vmlinuz-6.1"));
  EXPECT_THAT(changes.closed,
              UnorderedElementsAre("debian/a/boot/vmlinuz-6.2", "debian/a/boot/vmlinuz-6.6"));
}

TEST_F(TreeWatchTest, ManyNamesThatNobodyTakesAreAScanOfEverything) {
  Open();
  TreeChanges changes;
  for (int i = 0; i < 100'000; ++i) changes.written.insert(absl::StrCat("debian/a/boot/", i));
  tree_.Remove("rootfs/debian/a/boot/vmlinuz-6.1");
  EXPECT_TRUE(watch_->Read(changes));
  EXPECT_TRUE(changes.everything);
  EXPECT_THAT(changes.written, IsEmpty());
  EXPECT_THAT(changes.releases, IsEmpty());
}

TEST_F(TreeWatchTest, OfABootFolderOnlyBootFilesMatter) {
  Open();
  tree_.Write("rootfs/debian/a/boot/System.map-6.1", "");
  tree_.Write("rootfs/debian/a/boot/grub.cfg", "");
  tree_.MakeFolder("rootfs/debian/a/etc");
  tree_.Write("rootfs/debian/a/file", "");
  Read(false);
  tree_.Remove("rootfs/debian/a/boot/vmlinuz-6.1");
  EXPECT_THAT(Read().releases, UnorderedElementsAre("debian/a"));
  tree_.Link("rootfs/debian/a/vmlinuz", "boot/vmlinuz-6.1");
  EXPECT_THAT(Read().releases, UnorderedElementsAre("debian/a"));
}

TEST_F(TreeWatchTest, UpperLevelsAndLoadersMatter) {
  Open();
  tree_.MakeFolder("rootfs/ubuntu");
  Read();
  tree_.Link("rootfs/debian/stable", "a");
  EXPECT_THAT(Read().releases, UnorderedElementsAre("debian/stable"));
  tree_.Write("loaders/ipxe.efi", "loader");
  EXPECT_THAT(Read().releases, IsEmpty());
  tree_.Remove("rootfs/debian/a");
  EXPECT_TRUE(Read().releases.contains("debian/a"));
  EXPECT_EQ(watch_->watch_count(), 3u);
}

TEST_F(TreeWatchTest, OfTheFolderOfFilesAllMattersButHiddenFiles) {
  tree_.MakeFolder("files/memtest");
  Open();
  WatchFiles();
  tree_.WriteNow("files/.mt86plus.part", "half");
  EXPECT_FALSE(Read(false).files);
  std::ofstream writer(tree_.files() + "/memtest/mt86plus");
  writer << "memory" << std::flush;
  TreeChanges changes = Read();
  EXPECT_TRUE(changes.files);
  EXPECT_THAT(changes.written_files, UnorderedElementsAre("memtest/mt86plus"));
  EXPECT_THAT(changes.closed_files, IsEmpty());
  writer.close();
  ASSERT_EQ(
      rename((tree_.files() + "/.mt86plus.part").c_str(), (tree_.files() + "/mt86plus").c_str()),
      0);
  EXPECT_TRUE(watch_->Read(changes));
  EXPECT_THAT(changes.written_files, IsEmpty());
  EXPECT_THAT(changes.closed_files, UnorderedElementsAre("memtest/mt86plus", "mt86plus"));
  // Of the rootfs tree nothing is told.
  EXPECT_FALSE(changes.everything);
  EXPECT_THAT(changes.releases, IsEmpty());
  EXPECT_THAT(changes.closed, IsEmpty());
}

TEST_F(TreeWatchTest, AFolderOfFilesThatGoesIsAChangeOfIt) {
  tree_.MakeFolder("files/memtest");
  Open();
  WatchFiles();
  ASSERT_EQ(rename((tree_.files() + "/memtest").c_str(), (tree_.folder() + "/away").c_str()), 0);
  EXPECT_TRUE(Read().files);
  ASSERT_EQ(rename(tree_.files().c_str(), (tree_.folder() + "/old").c_str()), 0);
  const TreeChanges changes = Read();
  EXPECT_TRUE(changes.files);
  EXPECT_FALSE(changes.everything);
  EXPECT_THAT(changes.releases, IsEmpty());
}

TEST_F(TreeWatchTest, ADistroInThePlaceOfAnotherMeansEverything) {
  Open();
  ASSERT_EQ(rename((tree_.rootfs() + "/debian").c_str(), (tree_.folder() + "/old").c_str()), 0);
  tree_.MakeFolder("rootfs/debian/a/boot");
  EXPECT_TRUE(Read().everything);
}

TEST_F(TreeWatchTest, AFolderThatWasMovedAwayIsForgottenByASweep) {
  Open();
  ASSERT_EQ(rename((tree_.rootfs() + "/debian/a").c_str(), (tree_.folder() + "/a").c_str()), 0);
  EXPECT_TRUE(Read().releases.contains("debian/a"));
  watch_->BeginSweep();
  Watch(tree_.rootfs(), Level::kRoot, "");
  Watch(tree_.rootfs() + "/debian", Level::kDistro, "debian");
  watch_->EndSweep();
  EXPECT_EQ(watch_->watch_count(), 2u);
  tree_.Write("a/boot/vmlinuz-6.2", "kernel");
  Read(false);
}

TEST_F(TreeWatchTest, TheLimitOfWatchesIsNoticedAndTriedAgainByTheNextSweep) {
  Open(4);
  EXPECT_TRUE(watch_->is_full());
  EXPECT_EQ(watch_->watch_count(), 4u);
  tree_.Write("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  Read();
  tree_.Remove("rootfs/debian/a");
  Read();
  watch_->BeginSweep();
  Watch(tree_.rootfs(), Level::kRoot, "");
  Watch(tree_.loaders(), Level::kLoaders, "");
  EXPECT_FALSE(watch_->is_full());
  tree_.Write("loaders/ipxe.efi", "loader");
  Read();
}

TEST_F(TreeWatchTest, AnOverflowOfTheQueueMeansEverything) {
  Open();
  int length = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> length;
  ASSERT_GT(length, 0);
  const std::string boot = tree_.rootfs() + "/debian/a/boot/";
  // Each is several events, and none like the one before.
  for (int i = 0; i <= length / 2; ++i) {
    const std::string name = absl::StrCat(boot, "vmlinuz-9.", i % 2);
    std::ofstream(name).flush();
    ASSERT_EQ(remove(name.c_str()), 0);
  }
  const TreeChanges changes = Read();
  EXPECT_TRUE(changes.everything);
  // Each may have been opened again in what was lost.
  EXPECT_TRUE(changes.closed.empty());
}

}  // namespace
}  // namespace autopxe::agent
