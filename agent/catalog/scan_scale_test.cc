#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "agent/catalog/scan.h"
#include "agent/catalog/test_scan.h"
#include "agent/catalog/test_tree.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Faults, case 53: the time-out of a test of this size is the bound.
TEST(ScanScaleTest, TenThousandReleasesAreScanned) {
  TestTree tree;
  for (int i = 0; i < 10'000; ++i) {
    const std::string release = absl::StrFormat("debian/r%05d", i);
    if (i % 2 == 0) {
      tree.AddKernel(release, "6.1");
    } else {
      tree.Link("rootfs/" + release, absl::StrFormat("r%05d", i - 1));
    }
  }
  const Scan scan = ScanOf(tree);
  ASSERT_EQ(scan.catalog.distros.size(), 1u);
  EXPECT_EQ(scan.catalog.distros[0].releases.size(), 10'000u);
  EXPECT_EQ(scan.catalog.distros[0].releases[9'999].folder(), "r09998");
  EXPECT_EQ(scan.catalog.KernelCount(), 20'000u);
  EXPECT_THAT(scan.warnings, IsEmpty());

  // One that changes among them costs a fraction of that.
  const auto watch = TreeWatch::Open();
  ASSERT_THAT(watch, IsOk());
  Scanner scanner(tree.folders(), watch->get());
  const auto seconds = [&](const TreeChanges& changes) {
    const absl::Time start = absl::Now();
    EXPECT_THAT(scanner.Run(changes, Now()), IsOk());
    return absl::ToDoubleSeconds(absl::Now() - start);
  };
  RecordProperty("first_scan_s", absl::StrCat(seconds(Everything())));
  RecordProperty("full_scan_s", absl::StrCat(seconds(Everything())));
  tree.AddKernel("debian/r05000", "6.2");
  TreeChanges changes;
  EXPECT_TRUE((*watch)->Read(changes));
  EXPECT_THAT(changes.releases, ElementsAre("debian/r05000"));
  RecordProperty("one_release_s", absl::StrCat(seconds(changes)));
}

}  // namespace
}  // namespace autopxe::agent
