#include "agent/catalog/file_look.h"

#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

const absl::Time kWall = absl::FromUnixSeconds(1'700'000'000);

LookTime At(absl::Duration since_start) {
  return {.wall = kWall + since_start, .monotonic = absl::Seconds(5) + since_start};
}

FileStamp Stamp(int64_t size, absl::Duration modified, uint64_t inode = 1) {
  return {.identity = {0, inode},
          .size = size,
          .modified = kWall + modified,
          .changed = kWall + modified};
}

constexpr absl::Duration kStart = absl::ZeroDuration();

TEST(FileLookTest, AFileThatWasModifiedLongAgoIsSettledAtOnce) {
  EXPECT_TRUE(LookAgain(Stamp(9, -absl::Hours(1)), nullptr, false, At(kStart)).is_settled);
  EXPECT_TRUE(LookAgain(Stamp(9, -kQuiet), nullptr, false, At(kStart)).is_settled);
}

TEST(FileLookTest, AFileThatWasJustModifiedIsSettledWhenItHasBeenQuiet) {
  const FileStamp stamp = Stamp(9, -absl::Seconds(1));
  const FileLook first = LookAgain(stamp, nullptr, false, At(kStart));
  EXPECT_FALSE(first.is_settled);
  const FileLook second = LookAgain(stamp, &first, false, At(kQuiet - absl::Milliseconds(1)));
  EXPECT_FALSE(second.is_settled);
  EXPECT_TRUE(LookAgain(stamp, &second, false, At(kQuiet)).is_settled);
}

TEST(FileLookTest, AFileThatGrowsIsNeverSettled) {
  FileLook look = LookAgain(Stamp(0, kStart), nullptr, false, At(kStart));
  for (int second = 1; second < 100; ++second) {
    // A file server whose clock is an hour behind, or right, or an hour ahead.
    for (const absl::Duration skew : {-absl::Hours(1), kStart, absl::Hours(1)}) {
      look = LookAgain(Stamp(second, absl::Seconds(second) + skew), &look, false,
                       At(absl::Seconds(second)));
      EXPECT_FALSE(look.is_settled) << second << " " << skew;
    }
  }
}

TEST(FileLookTest, AFileOfAClockThatIsAheadIsNotKeptBackForEver) {
  const FileStamp stamp = Stamp(9, absl::Hours(24 * 365));
  const FileLook first = LookAgain(stamp, nullptr, false, At(kStart));
  EXPECT_FALSE(first.is_settled);
  EXPECT_TRUE(LookAgain(stamp, &first, false, At(kQuiet)).is_settled);
}

TEST(FileLookTest, AWallClockThatStepsChangesNothing) {
  const FileStamp stamp = Stamp(9, kStart);
  const FileLook first = LookAgain(stamp, nullptr, false, At(kStart));
  const LookTime later = {.wall = kWall - absl::Hours(100), .monotonic = absl::Seconds(5) + kQuiet};
  EXPECT_TRUE(LookAgain(stamp, &first, false, later).is_settled);
}

TEST(FileLookTest, WhatItsWriterHasClosedIsSettledAtOnce) {
  const FileLook first = LookAgain(Stamp(4, kStart), nullptr, false, At(kStart));
  const FileLook closed = LookAgain(Stamp(9, kStart), &first, true, At(kStart));
  EXPECT_TRUE(closed.is_settled);
  EXPECT_TRUE(LookAgain(Stamp(9, kStart), &closed, false, At(kStart)).is_settled);
}

TEST(FileLookTest, ASettledFileThatIsWrittenAgainIsNot) {
  const FileLook first = LookAgain(Stamp(9, -absl::Hours(1)), nullptr, false, At(kStart));
  EXPECT_FALSE(LookAgain(Stamp(4, kStart), &first, false, At(kStart)).is_settled);
  // In place, with its old time and another size.
  EXPECT_FALSE(LookAgain(Stamp(4, -absl::Hours(1)), &first, false, At(kStart)).is_settled);
}

TEST(FileLookTest, AnotherFileOfThatNameCountsAsNew) {
  const FileLook first = LookAgain(Stamp(9, kStart, 1), nullptr, true, At(kStart));
  EXPECT_FALSE(LookAgain(Stamp(9, kStart, 2), &first, false, At(kStart)).is_settled);
  EXPECT_TRUE(LookAgain(Stamp(9, -absl::Hours(1), 2), &first, false, At(kStart)).is_settled);
}

TEST(FileLookTest, TheImageIsKeptAsLongAsTheContentIs) {
  FileLook first = LookAgain(Stamp(9, -absl::Hours(1)), nullptr, false, At(kStart));
  first.image.architecture = Architecture::kArm64;
  FileStamp other_mode = Stamp(9, -absl::Hours(1));
  other_mode.changed = kWall;
  EXPECT_EQ(LookAgain(other_mode, &first, false, At(kStart)).image, first.image);
  EXPECT_EQ(LookAgain(Stamp(8, kStart), &first, false, At(kStart)).image, KernelImage());
}

}  // namespace
}  // namespace autopxe::agent
