#include "common/model/kernel_move.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

CatalogKernel Kernel(const std::string& name, const std::string& version) {
  return {.name = name,
          .version = version,
          .kernel_path = absl::StrCat("boot/vmlinuz-", version),
          .initrd_path = absl::StrCat("boot/initrd.img-", version)};
}

Catalog CatalogOf(std::vector<CatalogKernel> kernels) {
  Catalog catalog;
  catalog.distros = {
      {"debian", {{"bookworm", "", kernels}, {"stable", "bookworm", std::move(kernels)}}},
      {"ubuntu", {{"noble", "", {Kernel("latest", "6.8")}}}}};
  return catalog;
}

TEST(KernelMoveTest, ANameThatStandsForAnotherVersionHasMoved) {
  const Catalog before = CatalogOf({Kernel("latest", "25"), Kernel("previous", "24"),
                                    Kernel("default", "25"), Kernel("25", "25")});
  const Catalog after =
      CatalogOf({Kernel("latest", "28"), Kernel("previous", "25"), Kernel("default", "25"),
                 Kernel("28", "28"), Kernel("25", "25")});
  const auto moves = FindKernelMoves(before, after);
  EXPECT_THAT(moves, ElementsAre(KernelMove{"debian", "bookworm", "latest", "25", "28"},
                                 KernelMove{"debian", "bookworm", "previous", "24", "25"},
                                 KernelMove{"debian", "stable", "latest", "25", "28"},
                                 KernelMove{"debian", "stable", "previous", "24", "25"}));
  EXPECT_EQ(moves[2].Format(), "debian/stable/latest");
}

TEST(KernelMoveTest, WhatCameOrWentHasNotMoved) {
  const Catalog one = CatalogOf({Kernel("latest", "25"), Kernel("25", "25")});
  EXPECT_THAT(FindKernelMoves(Catalog(), one), IsEmpty());
  EXPECT_THAT(FindKernelMoves(one, Catalog()), IsEmpty());
  EXPECT_THAT(FindKernelMoves(one, one), IsEmpty());
  EXPECT_THAT(FindKernelMoves(CatalogOf({Kernel("default", "25")}), one), IsEmpty());
}

TEST(KernelMoveTest, AnUnknownVersionHasNotMoved) {
  EXPECT_THAT(
      FindKernelMoves(CatalogOf({Kernel("default", "")}), CatalogOf({Kernel("default", "1")})),
      IsEmpty());
  EXPECT_THAT(
      FindKernelMoves(CatalogOf({Kernel("default", "1")}), CatalogOf({Kernel("default", "")})),
      IsEmpty());
}

}  // namespace
}  // namespace autopxe
