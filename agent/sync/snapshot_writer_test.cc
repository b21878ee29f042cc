#include "agent/sync/snapshot_writer.h"

#include <memory>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::ElementsAre;

std::shared_ptr<const Snapshot> SnapshotAt(int64_t number) {
  Revision revision;
  revision.id.number = number;
  return Snapshot::Empty(revision);
}

constexpr SnapshotWriter::Options kQuick = {absl::Milliseconds(1), absl::Milliseconds(1)};
constexpr SnapshotWriter::Options kNever = {absl::Hours(1), absl::Hours(1)};

TEST(SnapshotWriterTest, AChangeIsWrittenWithoutBeingAskedForAgain) {
  absl::Notification saved;
  SnapshotWriter writer(kQuick, [&](const std::shared_ptr<const Snapshot>& snapshot) {
    EXPECT_EQ(snapshot->revision().id.number, 1);
    saved.Notify();
    return absl::OkStatus();
  });
  writer.Write(SnapshotAt(1));
  saved.WaitForNotification();
}

TEST(SnapshotWriterTest, WhatIsPendingAtTheEndIsWrittenOnceAndTheNewestWins) {
  std::vector<int64_t> numbers;
  {
    SnapshotWriter writer(kNever, [&](const std::shared_ptr<const Snapshot>& snapshot) {
      numbers.push_back(snapshot->revision().id.number);
      return absl::OkStatus();
    });
    for (int64_t number = 1; number <= 1000; ++number) writer.Write(SnapshotAt(number));
  }
  EXPECT_THAT(numbers, ElementsAre(1000));
}

TEST(SnapshotWriterTest, ChangesWithoutAPauseDoNotKeepItFromWriting) {
  absl::Notification saved;
  int64_t number = 0;
  SnapshotWriter writer({absl::Milliseconds(20), absl::Hours(1)},
                        [&](const std::shared_ptr<const Snapshot>&) {
                          if (!saved.HasBeenNotified()) saved.Notify();
                          return absl::OkStatus();
                        });
  while (!saved.HasBeenNotified()) writer.Write(SnapshotAt(++number));
}

TEST(SnapshotWriterTest, AWriteThatFailedIsTriedAgain) {
  int tries = 0;
  absl::Notification saved;
  SnapshotWriter writer(kQuick, [&](const std::shared_ptr<const Snapshot>& snapshot) {
    EXPECT_EQ(snapshot->revision().id.number, 7);
    if (++tries < 3) return absl::ResourceExhaustedError("disk full");
    saved.Notify();
    return absl::OkStatus();
  });
  writer.Write(SnapshotAt(7));
  saved.WaitForNotification();
}

TEST(SnapshotWriterTest, NothingToWriteWritesNothing) {
  bool called = false;
  {
    SnapshotWriter writer(kQuick, [&](const std::shared_ptr<const Snapshot>&) {
      called = true;
      return absl::OkStatus();
    });
  }
  EXPECT_FALSE(called);
}

TEST(SnapshotWriterTest, ADiskThatStaysFullDoesNotHoldUpTheEnd) {
  SnapshotWriter writer(kNever, [](const std::shared_ptr<const Snapshot>&) {
    return absl::ResourceExhaustedError("disk full");
  });
  writer.Write(SnapshotAt(1));
}

}  // namespace
}  // namespace autopxe::agent
