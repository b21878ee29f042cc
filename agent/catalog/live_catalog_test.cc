#include "agent/catalog/live_catalog.h"

#include <sys/stat.h>

#include <memory>
#include <thread>
#include <vector>

#include "agent/catalog/test_scan.h"
#include "agent/catalog/test_tree.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(LiveCatalogTest, IsEmptyBeforeTheFirstScan) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.folders());
  ASSERT_NE(catalog.Current(), nullptr);
  EXPECT_EQ(*catalog.Current(), Catalog());
}

TEST(LiveCatalogTest, ARescanShowsWhatIsThereNow) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.folders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  const auto before = catalog.Current();
  EXPECT_NE(before->FindRelease("debian", "bookworm"), nullptr);

  tree.AddKernel("debian/trixie", "6.12");
  EXPECT_EQ(catalog.Current(), before);  // Nothing is looked at until the next scan.
  ASSERT_THAT(catalog.Rescan(), IsOk());
  EXPECT_NE(catalog.Current()->FindRelease("debian", "trixie"), nullptr);
  EXPECT_EQ(before->FindRelease("debian", "trixie"), nullptr);
}

// Faults, case 53.
TEST(LiveCatalogTest, AFolderThatCantBeReadLeavesTheCatalogAsItWas) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.folders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  const auto before = catalog.Current();
  tree.Remove("rootfs");
  EXPECT_THAT(catalog.Rescan(), StatusIs(absl::StatusCode::kNotFound, HasSubstr("rootfs folder")));
  EXPECT_EQ(catalog.Current(), before);
  EXPECT_THAT(catalog.LastError(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("rootfs folder")));
  tree.AddKernel("debian/bookworm", "6.1");
  ASSERT_THAT(catalog.Rescan(), IsOk());
  EXPECT_THAT(catalog.LastError(), IsOk());
}

// Faults, case 53.
TEST(LiveCatalogTest, AFolderOfFilesThatCantBeReadLeavesTheCatalogAsItWas) {
  TestTree tree;
  tree.Write("files/mt86plus", "1");
  LiveCatalog catalog(tree.folders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  const auto before = catalog.Current();
  ASSERT_NE(before->FindFile("mt86plus"), nullptr);
  tree.Remove("files");
  EXPECT_THAT(catalog.Rescan(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("folder of files")));
  EXPECT_EQ(catalog.Current(), before);
  tree.MakeFolder("files");
  ASSERT_THAT(catalog.Rescan(), IsOk());
  EXPECT_EQ(catalog.Current()->FindFile("mt86plus"), nullptr);
}

TEST(LiveCatalogTest, AScanThatFindsTheSameLeavesTheCatalogItself) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.folders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  const auto before = catalog.Current();
  const auto outcome = catalog.Rescan(Everything());
  ASSERT_THAT(outcome, IsOk());
  EXPECT_FALSE(outcome->is_changed);
  EXPECT_EQ(catalog.Current(), before);
}

// Faults, case 53.
TEST(LiveCatalogTest, AReleaseThatCantBeReadIsKeptAndTheLogSaysSoOnce) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.folders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  const auto before = catalog.Current();
  ASSERT_EQ(chmod((tree.rootfs() + "/debian/bookworm/boot").c_str(), 0), 0);
  const CapturedLog log;
  WithoutPrivileges([&] {
    for (int i = 0; i < 2; ++i) EXPECT_THAT(catalog.Rescan(), IsOk());
  });
  ASSERT_EQ(chmod((tree.rootfs() + "/debian/bookworm/boot").c_str(), 0700), 0);
  EXPECT_EQ(catalog.Current(), before);
  EXPECT_THAT(log.Lines(),
              ElementsAre(AllOf(StartsWith("warning event=offer-kept "),
                                HasSubstr("path=debian/bookworm "), HasSubstr("Permission denied")),
                          AllOf(HasSubstr("event=catalog "), HasSubstr("kernels=2 "),
                                HasSubstr("not_offered=0 "))));
}

TEST(LiveCatalogTest, ReadersBesideScansSeeAWholeCatalog) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.folders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  std::vector<std::thread> scans;
  for (int i = 0; i < 2; ++i) {
    scans.emplace_back([&catalog] {
      for (int n = 0; n < 50; ++n) EXPECT_THAT(catalog.Rescan(), IsOk());
    });
  }
  for (int n = 0; n < 1000; ++n) EXPECT_EQ(catalog.Current()->KernelCount(), 2u);
  for (std::thread& scan : scans) scan.join();
}

}  // namespace
}  // namespace autopxe::agent
