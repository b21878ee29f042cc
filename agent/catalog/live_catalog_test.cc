#include "agent/catalog/live_catalog.h"

#include <memory>
#include <thread>
#include <vector>

#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

TEST(LiveCatalogTest, IsEmptyBeforeTheFirstScan) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.rootfs(), tree.loaders());
  ASSERT_NE(catalog.Current(), nullptr);
  EXPECT_EQ(*catalog.Current(), Catalog());
}

TEST(LiveCatalogTest, ARescanShowsWhatIsThereNow) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.rootfs(), tree.loaders());
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
  LiveCatalog catalog(tree.rootfs(), tree.loaders());
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

TEST(LiveCatalogTest, AScanThatFindsTheSameLeavesTheCatalogItself) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.rootfs(), tree.loaders());
  ASSERT_THAT(catalog.Rescan(), IsOk());
  const auto before = catalog.Current();
  const auto outcome =
      catalog.Rescan(TreeChanges{.everything = true, .releases = {}, .closed = {}});
  ASSERT_THAT(outcome, IsOk());
  EXPECT_FALSE(outcome->is_changed);
  EXPECT_EQ(catalog.Current(), before);
}

TEST(LiveCatalogTest, ReadersBesideScansSeeAWholeCatalog) {
  TestTree tree;
  tree.AddKernel("debian/bookworm", "6.1");
  LiveCatalog catalog(tree.rootfs(), tree.loaders());
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
