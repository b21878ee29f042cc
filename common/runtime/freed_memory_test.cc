#include "common/runtime/freed_memory.h"

#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

constexpr size_t kBlock = 1000;
constexpr size_t kBlocks = 100'000;

size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  size_t size = 0;
  size_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

// Uses a lot and frees it, but for the last block, so that glibc returns nothing by itself.
std::unique_ptr<char[]> UseAndFree() {
  std::vector<std::unique_ptr<char[]>> blocks;
  blocks.reserve(kBlocks + 1);
  for (size_t i = 0; i <= kBlocks; ++i) {
    blocks.push_back(std::make_unique<char[]>(kBlock));
    std::memset(blocks.back().get(), 'x', kBlock);
  }
  return std::move(blocks.back());
}

TEST(FreedMemoryTest, WhatWasFreedGoesBackToTheSystem) {
  const std::unique_ptr<char[]> last = UseAndFree();
  const size_t before = ResidentBytes();
  EXPECT_FALSE(ReturnFreedMemory(size_t{1} << 40)) << "not that much";
  EXPECT_TRUE(ReturnFreedMemory(kBlock * kBlocks / 2));
  EXPECT_LT(ResidentBytes(), before - kBlock * kBlocks / 2);
  EXPECT_FALSE(ReturnFreedMemory(kBlock * kBlocks / 2)) << "it has been done";
}

TEST(FreedMemoryTest, WhatIsLessThanIsInUseIsKept) {
  const std::vector<char> used(kBlock * kBlocks * 2, 'x');
  const std::unique_ptr<char[]> last = UseAndFree();
  EXPECT_FALSE(ReturnFreedMemory(0));
}

TEST(FreedMemoryTest, ItIsDoneAtIntervals) {
  const std::unique_ptr<char[]> last = UseAndFree();
  const size_t before = ResidentBytes();
  const FreedMemory freed_memory({.interval = absl::Milliseconds(1), .least = 1 << 20});
  while (ResidentBytes() >= before - kBlock * kBlocks / 2) std::this_thread::yield();
}

TEST(FreedMemoryTest, ItEndsAtOnce) { const FreedMemory freed_memory; }

}  // namespace
}  // namespace autopxe
