#include "agent/catalog/kernel_list.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;

std::vector<FoundKernel> Found(const std::vector<std::string>& versions, bool rpm = false) {
  std::vector<FoundKernel> found;
  for (const std::string& version : versions) {
    found.push_back({version, absl::StrCat("boot/vmlinuz-", version),
                     absl::StrCat("boot/initrd.img-", version), rpm});
  }
  return found;
}

// "latest=6.1.0-25-amd64 6.1.0-25-amd64": the names, and what they stand for where it is not the
// name.
std::string Listed(const std::vector<CatalogKernel>& kernels) {
  return absl::StrJoin(kernels, " ", [](std::string* out, const CatalogKernel& kernel) {
    absl::StrAppend(out, kernel.name);
    if (kernel.name != kernel.version) absl::StrAppend(out, "=", kernel.version);
  });
}

TEST(KernelListTest, LatestAndPreviousArePlainAndVersionsComeFromTheNewest) {
  const struct {
    std::vector<std::string> versions;
    std::string expected;
  } kCases[] = {
      {{}, ""},
      {{"6.6.63"}, "latest=6.6.63 6.6.63"},
      {{"6.1.0-9-amd64", "6.1.0-10-amd64"},
       "latest=6.1.0-10-amd64 previous=6.1.0-9-amd64 6.1.0-10-amd64 6.1.0-9-amd64"},
      // Another flavour is never latest while there is a plain one, were it newer.
      {{"6.1.0-25-amd64", "6.1.0-26-rt-amd64", "6.1.0-27-cloud-amd64"},
       "latest=6.1.0-25-amd64 6.1.0-27-cloud-amd64 6.1.0-26-rt-amd64 6.1.0-25-amd64"},
      {{"6.6.63", "6.1.0-25-amd64"}, "latest=6.6.63 previous=6.1.0-25-amd64 6.6.63 6.1.0-25-amd64"},
      // Only other flavours: the newest of them, and the one before of the same.
      {{"6.1.0-25-cloud-amd64", "6.1.0-24-rt-amd64", "6.1.0-23-cloud-amd64"},
       "latest=6.1.0-25-cloud-amd64 previous=6.1.0-23-cloud-amd64 6.1.0-25-cloud-amd64 "
       "6.1.0-24-rt-amd64 6.1.0-23-cloud-amd64"},
      {{"0-rescue-b9d4"}, "0-rescue-b9d4"},
      {{"0-rescue-b9d4", "6.6.0-45.oe2409.x86_64+debug"},
       "latest=6.6.0-45.oe2409.x86_64+debug 6.6.0-45.oe2409.x86_64+debug 0-rescue-b9d4"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Listed(ListKernels(Found(c.versions), {})), c.expected)
        << absl::StrJoin(c.versions, " ");
  }
}

TEST(KernelListTest, AKernelIsListedWithItsFiles) {
  EXPECT_THAT(
      ListKernels(Found({"6.6.63"}), {}),
      ElementsAre(
          CatalogKernel{"latest", "6.6.63", "boot/vmlinuz-6.6.63", "boot/initrd.img-6.6.63"},
          CatalogKernel{"6.6.63", "6.6.63", "boot/vmlinuz-6.6.63", "boot/initrd.img-6.6.63"}));
}

TEST(KernelListTest, DefaultStandsBetweenPreviousAndTheVersions) {
  EXPECT_EQ(Listed(ListKernels(Found({"6.1", "6.2"}), {{"default", "", "vmlinuz", "initrd.img"}})),
            "latest=6.2 previous=6.1 default= 6.2 6.1");
  EXPECT_EQ(Listed(ListKernels({}, {{"default", "", "vmlinuz", "initrd.img"}})), "default=");
}

TEST(KernelListTest, RpmOrderHoldsOnlyWhereEveryInitrdIsRpms) {
  // RPM compares "a" (letters) as older than "1" (digits); dpkg has letters before other things,
  // yet numbers of an empty run are 0: "6.a" is newer than "6.1" for dpkg and older for RPM.
  const std::vector<std::string> versions = {"6.1", "6.a"};
  EXPECT_EQ(Listed(ListKernels(Found(versions, true), {})), "latest=6.1 previous=6.a 6.1 6.a");
  EXPECT_EQ(Listed(ListKernels(Found(versions, false), {})), "latest=6.a previous=6.1 6.a 6.1");
  std::vector<FoundKernel> mixed = Found(versions, true);
  mixed[0].rpm = false;
  EXPECT_EQ(Listed(ListKernels(mixed, {})), "latest=6.a previous=6.1 6.a 6.1");
}

TEST(KernelListTest, TheOrderOfAFolderDoesNotMatter) {
  std::vector<FoundKernel> found =
      Found({"6.1.0-9-amd64", "6.1.0-10-amd64", "6.01", "6.1", "6.1.0-10-rt-amd64",
             "6.1.0-25-cloud-amd64", "0-rescue-x", "6.6.63"});
  const std::string expected = Listed(ListKernels(found, {}));
  std::mt19937 random(7);
  for (int i = 0; i < 100; ++i) {
    std::shuffle(found.begin(), found.end(), random);
    ASSERT_EQ(Listed(ListKernels(found, {})), expected);
  }
}

}  // namespace
}  // namespace autopxe::agent
