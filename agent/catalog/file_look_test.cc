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
  EXPECT_TRUE(LookAgain(Stamp(9, -absl::Hours(1)), nullptr, Writer::kUnheard, false, At(kStart))
                  .is_settled);
  EXPECT_TRUE(
      LookAgain(Stamp(9, -kClockDoubt), nullptr, Writer::kUnheard, false, At(kStart)).is_settled);
}

TEST(FileLookTest, AFileThatWasJustModifiedIsSettledWhenItHasBeenQuiet) {
  // "Just" by a file server's clock that is nearly a minute behind, or about right, or ahead.
  for (const absl::Duration modified :
       {absl::Seconds(1) - kClockDoubt, -absl::Seconds(1), kClockDoubt, absl::Hours(24 * 365)}) {
    const FileStamp stamp = Stamp(9, modified);
    const FileLook first = LookAgain(stamp, nullptr, Writer::kUnheard, false, At(kStart));
    EXPECT_FALSE(first.is_settled) << modified;
    const FileLook second =
        LookAgain(stamp, &first, Writer::kUnheard, false, At(kQuiet - absl::Milliseconds(1)));
    EXPECT_FALSE(second.is_settled) << modified;
    EXPECT_TRUE(LookAgain(stamp, &second, Writer::kUnheard, false, At(kQuiet)).is_settled)
        << modified;
  }
}

TEST(FileLookTest, AFileThatComesIntoAKnownFolderIsWatchedForQuietHoweverOldItIs) {
  const FileStamp stamp = Stamp(9, -absl::Hours(1));
  const FileLook first = LookAgain(stamp, nullptr, Writer::kUnheard, true, At(kStart));
  EXPECT_FALSE(first.is_settled);
  EXPECT_TRUE(LookAgain(stamp, &first, Writer::kUnheard, true, At(kQuiet)).is_settled);
  const FileStamp other = Stamp(9, -absl::Hours(1), 2);
  EXPECT_FALSE(LookAgain(other, &first, Writer::kUnheard, true, At(kQuiet)).is_settled);
  EXPECT_TRUE(LookAgain(stamp, nullptr, Writer::kDone, true, At(kStart)).is_settled);
}

TEST(FileLookTest, AFileThatItsWriterHasOpenIsSettledWhenItIsClosedOrNothingComesForAMinute) {
  const FileStamp stamp = Stamp(9, -absl::Hours(1));
  const FileLook first = LookAgain(stamp, nullptr, Writer::kWriting, false, At(kStart));
  EXPECT_FALSE(first.is_settled);
  const FileLook paused =
      LookAgain(stamp, &first, Writer::kUnheard, false, At(kHeldOpen - absl::Seconds(1)));
  EXPECT_FALSE(paused.is_settled);
  EXPECT_TRUE(paused.is_open);
  EXPECT_TRUE(LookAgain(stamp, &paused, Writer::kUnheard, false, At(kHeldOpen)).is_settled);
  // The minute begins again with whatever is written, though the stamp shows nothing of it.
  const FileLook more = LookAgain(stamp, &paused, Writer::kWriting, false, At(kHeldOpen));
  EXPECT_FALSE(
      LookAgain(stamp, &more, Writer::kUnheard, false, At(kHeldOpen + 2 * kQuiet)).is_settled);
  const FileLook closed = LookAgain(stamp, &more, Writer::kDone, false, At(kHeldOpen));
  EXPECT_TRUE(closed.is_settled);
  EXPECT_FALSE(closed.is_open);
  EXPECT_FALSE(LookAgain(stamp, &closed, Writer::kWriting, false, At(kHeldOpen)).is_settled);
}

TEST(FileLookTest, AnotherFileInThePlaceOfAnOpenOneIsNotOpen) {
  const FileLook first = LookAgain(Stamp(4, kStart), nullptr, Writer::kWriting, true, At(kStart));
  const FileStamp other = Stamp(9, kStart, 2);
  const FileLook second = LookAgain(other, &first, Writer::kUnheard, true, At(kStart));
  EXPECT_FALSE(second.is_open);
  EXPECT_TRUE(LookAgain(other, &second, Writer::kUnheard, true, At(kQuiet)).is_settled);
}

TEST(FileLookTest, AFileThatGrowsIsNeverSettled) {
  FileLook look = LookAgain(Stamp(0, kStart), nullptr, Writer::kUnheard, false, At(kStart));
  for (int second = 1; second < 100; ++second) {
    // A file server whose clock is an hour behind, or right, or an hour ahead.
    for (const absl::Duration skew : {-absl::Hours(1), kStart, absl::Hours(1)}) {
      look = LookAgain(Stamp(second, absl::Seconds(second) + skew), &look, Writer::kUnheard, false,
                       At(absl::Seconds(second)));
      EXPECT_FALSE(look.is_settled) << second << " " << skew;
    }
  }
}

TEST(FileLookTest, AFileOfAClockThatIsAheadIsNotKeptBackForEver) {
  const FileStamp stamp = Stamp(9, absl::Hours(24 * 365));
  const FileLook first = LookAgain(stamp, nullptr, Writer::kUnheard, false, At(kStart));
  EXPECT_FALSE(first.is_settled);
  EXPECT_TRUE(LookAgain(stamp, &first, Writer::kUnheard, false, At(kQuiet)).is_settled);
}

TEST(FileLookTest, AWallClockThatStepsChangesNothing) {
  const FileStamp stamp = Stamp(9, kStart);
  const FileLook first = LookAgain(stamp, nullptr, Writer::kUnheard, false, At(kStart));
  const LookTime later = {.wall = kWall - absl::Hours(100), .monotonic = absl::Seconds(5) + kQuiet};
  EXPECT_TRUE(LookAgain(stamp, &first, Writer::kUnheard, false, later).is_settled);
}

TEST(FileLookTest, WhatItsWriterHasClosedIsSettledAtOnce) {
  const FileLook first = LookAgain(Stamp(4, kStart), nullptr, Writer::kUnheard, false, At(kStart));
  const FileLook closed = LookAgain(Stamp(9, kStart), &first, Writer::kDone, false, At(kStart));
  EXPECT_TRUE(closed.is_settled);
  EXPECT_TRUE(LookAgain(Stamp(9, kStart), &closed, Writer::kUnheard, false, At(kStart)).is_settled);
}

TEST(FileLookTest, ASettledFileThatIsWrittenAgainIsNot) {
  const FileLook first =
      LookAgain(Stamp(9, -absl::Hours(1)), nullptr, Writer::kUnheard, false, At(kStart));
  EXPECT_FALSE(LookAgain(Stamp(4, kStart), &first, Writer::kUnheard, false, At(kStart)).is_settled);
  // In place, with its old time and another size.
  EXPECT_FALSE(
      LookAgain(Stamp(4, -absl::Hours(1)), &first, Writer::kUnheard, false, At(kStart)).is_settled);
}

TEST(FileLookTest, AnotherFileOfThatNameCountsAsNew) {
  const FileLook first = LookAgain(Stamp(9, kStart, 1), nullptr, Writer::kDone, false, At(kStart));
  EXPECT_FALSE(
      LookAgain(Stamp(9, kStart, 2), &first, Writer::kUnheard, false, At(kStart)).is_settled);
  EXPECT_TRUE(LookAgain(Stamp(9, -absl::Hours(1), 2), &first, Writer::kUnheard, false, At(kStart))
                  .is_settled);
}

TEST(FileLookTest, TheImageIsKeptAsLongAsTheContentIs) {
  FileLook first =
      LookAgain(Stamp(9, -absl::Hours(1)), nullptr, Writer::kUnheard, false, At(kStart));
  first.image.architecture = Architecture::kArm64;
  FileStamp other_mode = Stamp(9, -absl::Hours(1));
  other_mode.changed = kWall;
  EXPECT_EQ(LookAgain(other_mode, &first, Writer::kUnheard, false, At(kStart)).image, first.image);
  EXPECT_EQ(LookAgain(Stamp(8, kStart), &first, Writer::kUnheard, false, At(kStart)).image,
            KernelImage());
}

}  // namespace
}  // namespace autopxe::agent
