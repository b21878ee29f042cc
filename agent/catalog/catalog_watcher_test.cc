#include "agent/catalog/catalog_watcher.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "agent/catalog/test_tree.h"
#include "common/runtime/clock.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

constexpr absl::Duration kNever = absl::Hours(10'000);
// Far more than anything here takes, on however busy a machine.
constexpr absl::Duration kPatience = absl::Seconds(60);

class CatalogWatcherTest : public testing::Test {
 protected:
  CatalogWatcherTest() { tree_.AddKernel("debian/a", "6.1"); }

  void Start(absl::Duration interval, std::unique_ptr<TreeWatch> watch,
             absl::Duration doubt_pause = kNever) {
    catalog_ = std::make_unique<LiveCatalog>(tree_.folders(), std::move(watch), &clock_);
    EXPECT_THAT(catalog_->Rescan(), IsOk());
    watcher_ = std::make_unique<CatalogWatcher>(
        CatalogWatcher::Options{
            .interval = interval, .gather = absl::Milliseconds(20), .doubt_pause = doubt_pause},
        *catalog_, [this] {
          absl::MutexLock lock(&mutex_);
          ++changes_;
        });
  }

  static std::unique_ptr<TreeWatch> OpenWatch(size_t max_watches = 1'000) {
    return TreeWatch::Open(max_watches).value();
  }

  // Waits until the catalog has so many kernels.
  testing::AssertionResult HasKernels(size_t count) {
    const auto condition = [&]() { return catalog_->Current()->KernelCount() == count; };
    return Holds(condition);
  }

  // The same where nobody tells that files are complete: time passes.
  testing::AssertionResult HasKernelsInTime(size_t count) {
    const auto condition = [&]() {
      clock_.Advance(kQuiet);
      return catalog_->Current()->KernelCount() == count;
    };
    return Holds(condition);
  }

  testing::AssertionResult Holds(absl::FunctionRef<bool()> condition) {
    const absl::Time end = absl::Now() + kPatience;
    while (absl::Now() < end) {
      {
        absl::MutexLock lock(&mutex_);
        if (condition()) return testing::AssertionSuccess();
        // Looks again whenever the catalog changes, and in any case soon.
        const int seen = changes_;
        const auto changed = [&]()
                                 ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return changes_ != seen; };
        mutex_.AwaitWithTimeout(absl::Condition(&changed), absl::Milliseconds(20));
      }
    }
    return testing::AssertionFailure()
           << "the catalog has " << catalog_->Current()->KernelCount() << " kernels";
  }

  TestTree tree_;
  // Stands still: what has just been written never becomes quiet by itself.
  FakeClock clock_{absl::Now()};
  absl::Mutex mutex_;
  int changes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::unique_ptr<LiveCatalog> catalog_;
  std::unique_ptr<CatalogWatcher> watcher_;  // Uses all of the above.
};

TEST_F(CatalogWatcherTest, AKernelThatIsInstalledShowsAndOneThatIsRemovedGoes) {
  Start(kNever, OpenWatch());
  tree_.WriteNow("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  tree_.WriteNow("rootfs/debian/a/boot/initrd.img-6.2", "initrd");
  EXPECT_TRUE(HasKernels(4));  // latest, previous, 6.2, 6.1.
  tree_.Remove("rootfs/debian/a/boot/vmlinuz-6.2");
  EXPECT_TRUE(HasKernels(2));
  tree_.Remove("rootfs/debian");
  EXPECT_TRUE(HasKernels(0));
}

TEST_F(CatalogWatcherTest, ANewTreeIsWatchedFromItsFirstFolderOn) {
  Start(kNever, OpenWatch());
  tree_.MakeFolder("rootfs/ubuntu");
  tree_.MakeFolder("rootfs/ubuntu/noble/boot");
  tree_.WriteNow("rootfs/ubuntu/noble/boot/vmlinuz-6.8", "kernel");
  tree_.WriteNow("rootfs/ubuntu/noble/boot/initrd.img-6.8", "initrd");
  tree_.Link("rootfs/ubuntu/24.04", "noble");
  EXPECT_TRUE(Holds([&] {
    // Files of a folder that was not watched yet may have been closed unseen.
    clock_.Advance(kQuiet);
    const CatalogRelease* release = catalog_->Current()->FindRelease("ubuntu", "24.04");
    return release != nullptr && release->kernels.size() == 2;
  }));
  tree_.WriteNow("loaders/ipxe.efi", "loader");
  EXPECT_TRUE(Holds([&] { return catalog_->Current()->loaders.size() == 1; }));
}

TEST_F(CatalogWatcherTest, AFileThatIsPutIntoTheFolderOfFilesShowsAndOneThatIsRemovedGoes) {
  Start(kNever, OpenWatch());
  tree_.WriteNow("files/mt86plus", "memory test");
  EXPECT_TRUE(Holds([&] { return catalog_->Current()->FindFile("mt86plus") != nullptr; }));
  tree_.MakeFolder("files/installer");
  std::ofstream writer(tree_.files() + "/installer/linux");
  writer << "the first half" << std::flush;
  tree_.WriteNow("files/another", "file");
  ASSERT_TRUE(Holds([&] { return catalog_->Current()->FindFile("another") != nullptr; }));
  EXPECT_EQ(catalog_->Current()->FindFile("installer/linux"), nullptr);
  writer.close();
  EXPECT_TRUE(Holds([&] {
    // The folder may not have been watched yet when it was closed.
    clock_.Advance(kQuiet);
    return catalog_->Current()->FindFile("installer/linux") != nullptr;
  }));
  tree_.Remove("files/installer");
  EXPECT_TRUE(Holds([&] { return catalog_->Current()->files.size() == 2; }));
}

TEST_F(CatalogWatcherTest, AKernelIsNotOfferedBeforeItsSlowWriterIsDone) {
  Start(kNever, OpenWatch());
  tree_.WriteNow("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  std::ofstream writer(tree_.rootfs() + "/debian/a/boot/initrd.img-6.2");
  writer << "the first half" << std::flush;
  // The scan that sees another release begin has seen the half of this one.
  for (const std::string other : {"debian/b", "debian/c", "debian/d", "debian/e"}) {
    tree_.AddKernel(other, "6.1");
    ASSERT_TRUE(Holds(
        [&] { return catalog_->Current()->FindRelease("debian", other.substr(7)) != nullptr; }));
    EXPECT_EQ(catalog_->Current()->FindRelease("debian", "a")->kernels.size(), 2u);
    // It pauses for longer than a file is watched for quiet where nobody tells.
    clock_.Advance(2 * kQuiet);
    if (other == "debian/c") writer << ", and a bit" << std::flush;
  }
  writer << ", and the rest";
  writer.close();
  EXPECT_TRUE(
      Holds([&] { return catalog_->Current()->FindRelease("debian", "a")->kernels.size() == 4; }));
}

TEST_F(CatalogWatcherTest, AKernelWhoseWriterNeverClosesItIsOfferedAfterAMinute) {
  Start(kNever, OpenWatch());
  tree_.WriteNow("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  std::ofstream writer(tree_.rootfs() + "/debian/a/boot/initrd.img-6.2");
  writer << "all of it" << std::flush;
  tree_.AddKernel("debian/b", "6.1");
  ASSERT_TRUE(Holds([&] { return catalog_->Current()->FindRelease("debian", "b") != nullptr; }));
  EXPECT_EQ(catalog_->Current()->FindRelease("debian", "a")->kernels.size(), 2u);
  // However often it is looked at, the clock stands still until here.
  EXPECT_TRUE(Holds([&] {
    clock_.Advance(kHeldOpen);
    return catalog_->Current()->FindRelease("debian", "a")->kernels.size() == 4;
  }));
}

TEST_F(CatalogWatcherTest, WhereNothingWatchesTheIntervalFindsWhatChanged) {
  Start(absl::Milliseconds(20), nullptr);
  tree_.AddKernel("debian/a", "6.2");
  EXPECT_TRUE(HasKernelsInTime(4));
  tree_.Remove("rootfs/debian/a/boot/vmlinuz-6.2");
  EXPECT_TRUE(HasKernels(2));
}

TEST_F(CatalogWatcherTest, AHalfCopiedKernelIsNotOfferedWhereNothingWatches) {
  Start(absl::Milliseconds(20), nullptr);
  tree_.WriteNow("rootfs/debian/a/boot/vmlinuz-6.2", "kernel");
  tree_.WriteNow("rootfs/debian/a/boot/initrd.img-6.2", "half");
  tree_.AddKernel("debian/b", "6.1");
  ASSERT_TRUE(Holds([&] { return catalog_->Current()->FindRelease("debian", "b") != nullptr; }));
  EXPECT_EQ(catalog_->Current()->FindRelease("debian", "a")->kernels.size(), 2u);
  EXPECT_TRUE(HasKernelsInTime(6));
}

TEST_F(CatalogWatcherTest, BeyondTheLimitOfWatchesTheIntervalFindsWhatChanged) {
  // The root and the distro: its releases are not watched.
  Start(kNever, OpenWatch(2));
  watcher_->SetInterval(absl::Milliseconds(20));
  tree_.AddKernel("debian/a", "6.2");
  EXPECT_TRUE(HasKernelsInTime(4));
}

TEST_F(CatalogWatcherTest, AnOverflowOfTheQueueIsARescanOfEverything) {
  int length = 0;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> length;
  catalog_ = std::make_unique<LiveCatalog>(tree_.folders(), OpenWatch(), &clock_);
  ASSERT_THAT(catalog_->Rescan(), IsOk());
  for (int i = 0; i <= length / 2; ++i) {
    const std::string name = absl::StrCat(tree_.rootfs(), "/debian/a/boot/noise", i % 2);
    std::ofstream(name).flush();
    ASSERT_EQ(remove(name.c_str()), 0);
  }
  tree_.AddKernel("debian/a", "6.2");  // Its own events are lost.
  watcher_ = std::make_unique<CatalogWatcher>(
      CatalogWatcher::Options{.interval = kNever, .gather = absl::Milliseconds(20)}, *catalog_,
      [] {});
  EXPECT_TRUE(HasKernelsInTime(4));
}

TEST_F(CatalogWatcherTest, ARescanIsMadeWhenItIsAskedFor) {
  Start(kNever, nullptr);
  tree_.AddKernel("debian/a", "6.2");
  watcher_->Rescan();
  EXPECT_TRUE(HasKernelsInTime(4));
}

TEST_F(CatalogWatcherTest, ADoubtedCatalogIsScannedEachTimeThatItIsDoubtedAnew) {
  Start(kNever, nullptr, absl::Milliseconds(20));
  for (const char* version : {"6.2", "6.3"}) {
    tree_.AddKernel("debian/a", version);
    for (int i = 0; i < 1'000; ++i) watcher_->Doubt();
    EXPECT_TRUE(HasKernelsInTime(std::string(version) == "6.2" ? 4 : 5));
  }
}

TEST_F(CatalogWatcherTest, ADoubtWaitsForThePauseSinceTheLastScanOfEverything) {
  // The root and the distro are watched, their releases are not.
  Start(kNever, OpenWatch(2));
  tree_.Remove("rootfs/debian/a/boot/vmlinuz-6.1");
  watcher_->Doubt();
  tree_.AddKernel("debian/b", "6.1");
  ASSERT_TRUE(Holds([&] {
    clock_.Advance(kQuiet);
    return catalog_->Current()->FindRelease("debian", "b") != nullptr;
  }));
  // What was ordered before it was not carried out: the last scan of everything was just now.
  const CatalogRelease* const release = catalog_->Current()->FindRelease("debian", "a");
  ASSERT_NE(release, nullptr);
  EXPECT_EQ(release->kernels.size(), 2u);
}

TEST_F(CatalogWatcherTest, ADoubtNeverPutsOffWhatTheIntervalFinds) {
  Start(absl::Milliseconds(20), nullptr, kNever);
  watcher_->Doubt();
  tree_.AddKernel("debian/a", "6.2");
  EXPECT_TRUE(HasKernelsInTime(4));
}

TEST_F(CatalogWatcherTest, AFolderThatCantBeReadLeavesTheCatalogUntilItCan) {
  Start(absl::Milliseconds(20), nullptr);
  ASSERT_EQ(rename(tree_.rootfs().c_str(), (tree_.folder() + "/away").c_str()), 0);
  ASSERT_TRUE(Holds([&] { return !catalog_->LastError().ok(); }));
  EXPECT_EQ(catalog_->Current()->KernelCount(), 2u);
  tree_.AddKernel("../away/debian/a", "6.2");
  ASSERT_EQ(rename((tree_.folder() + "/away").c_str(), tree_.rootfs().c_str()), 0);
  EXPECT_TRUE(HasKernelsInTime(4));
  EXPECT_THAT(catalog_->LastError(), IsOk());
}

TEST_F(CatalogWatcherTest, AFolderOfFilesThatIsMountedAnewIsReadAgain) {
  tree_.Write("files/a", "1");
  Start(absl::Milliseconds(20), nullptr);
  ASSERT_EQ(rename(tree_.files().c_str(), (tree_.folder() + "/away").c_str()), 0);
  ASSERT_TRUE(Holds([&] { return !catalog_->LastError().ok(); }));
  EXPECT_NE(catalog_->Current()->FindFile("a"), nullptr);
  tree_.Write("files/b", "1");
  EXPECT_TRUE(Holds([&] {
    clock_.Advance(kQuiet);
    return catalog_->Current()->FindFile("b") != nullptr;
  }));
  EXPECT_EQ(catalog_->Current()->FindFile("a"), nullptr);
}

}  // namespace
}  // namespace autopxe::agent
