#include "common/model/catalog.h"

#include "gtest/gtest.h"

namespace autopxe {
namespace {

Catalog Sample() {
  Catalog catalog;
  catalog.distros = {
      {"debian",
       {{"bookworm",
         "",
         {{"latest", "6.1.0-25-amd64", "boot/vmlinuz-6.1.0-25-amd64",
           "boot/initrd.img-6.1.0-25-amd64"},
          {"default", "", "vmlinuz", "initrd.img"}}},
        {"stable", "bookworm", {{"default", "", "vmlinuz", "initrd.img"}}}}},
      {"ubuntu", {{"noble", "", {{"default", "", "boot/vmlinuz", "boot/initrd.img"}}}}},
  };
  return catalog;
}

TEST(CatalogTest, FindsReleasesAndKernelsByName) {
  const Catalog catalog = Sample();
  const CatalogRelease* release = catalog.FindRelease("debian", "bookworm");
  ASSERT_NE(release, nullptr);
  EXPECT_EQ(release->name, "bookworm");
  ASSERT_NE(release->FindKernel("default"), nullptr);
  EXPECT_EQ(release->FindKernel("default")->kernel_path, "vmlinuz");
  ASSERT_NE(catalog.FindRelease("ubuntu", "noble"), nullptr);
}

TEST(CatalogTest, WhatIsNotThereIsNull) {
  const Catalog catalog = Sample();
  EXPECT_EQ(catalog.FindRelease("debian", "trixie"), nullptr);
  EXPECT_EQ(catalog.FindRelease("debian", ""), nullptr);
  EXPECT_EQ(catalog.FindRelease("arch", "noble"), nullptr);
  EXPECT_EQ(catalog.FindRelease("zzz", "noble"), nullptr);
  EXPECT_EQ(catalog.FindRelease("debian", "bookworm")->FindKernel("previous"), nullptr);
  EXPECT_EQ(Catalog().FindRelease("debian", "bookworm"), nullptr);
}

TEST(CatalogTest, TheFolderOfAnAliasIsTheOneItLinksTo) {
  const Catalog catalog = Sample();
  EXPECT_EQ(catalog.FindRelease("debian", "stable")->folder(), "bookworm");
  EXPECT_EQ(catalog.FindRelease("debian", "bookworm")->folder(), "bookworm");
}

TEST(CatalogTest, CountsKernelsByWhateverName) {
  EXPECT_EQ(Sample().KernelCount(), 4u);
  EXPECT_EQ(Catalog().KernelCount(), 0u);
}

}  // namespace
}  // namespace autopxe
