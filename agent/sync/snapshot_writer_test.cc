#include "agent/sync/snapshot_writer.h"

#include <memory>
#include <string>
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
  Problems problems;
  absl::Notification saved;
  SnapshotWriter writer(kQuick, problems, [&](const std::shared_ptr<const Snapshot>& snapshot) {
    EXPECT_EQ(snapshot->revision().id.number, 1);
    saved.Notify();
    return absl::OkStatus();
  });
  writer.Write(SnapshotAt(1));
  saved.WaitForNotification();
}

TEST(SnapshotWriterTest, WhatIsPendingAtTheEndIsWrittenOnceAndTheNewestWins) {
  Problems problems;
  std::vector<int64_t> numbers;
  {
    SnapshotWriter writer(kNever, problems, [&](const std::shared_ptr<const Snapshot>& snapshot) {
      numbers.push_back(snapshot->revision().id.number);
      return absl::OkStatus();
    });
    for (int64_t number = 1; number <= 1000; ++number) writer.Write(SnapshotAt(number));
  }
  EXPECT_THAT(numbers, ElementsAre(1000));
}

TEST(SnapshotWriterTest, ChangesWithoutAPauseDoNotKeepItFromWriting) {
  Problems problems;
  absl::Notification saved;
  int64_t number = 0;
  SnapshotWriter writer({absl::Milliseconds(20), absl::Hours(1)}, problems,
                        [&](const std::shared_ptr<const Snapshot>&) {
                          if (!saved.HasBeenNotified()) saved.Notify();
                          return absl::OkStatus();
                        });
  while (!saved.HasBeenNotified()) writer.Write(SnapshotAt(++number));
}

TEST(SnapshotWriterTest, AWriteThatFailedIsTriedAgain) {
  Problems problems;
  int tries = 0;
  absl::Notification saved;
  absl::Notification over;
  std::vector<std::string> told;
  problems.OnChange([&] {
    for (const std::string& problem : problems.Current()) told.push_back(problem);
    if (saved.HasBeenNotified()) over.Notify();
  });
  SnapshotWriter writer(kQuick, problems, [&](const std::shared_ptr<const Snapshot>& snapshot) {
    EXPECT_EQ(snapshot->revision().id.number, 7);
    if (++tries < 3) return absl::ResourceExhaustedError("disk full");
    saved.Notify();
    return absl::OkStatus();
  });
  writer.Write(SnapshotAt(7));
  over.WaitForNotification();
  EXPECT_THAT(told, ElementsAre(testing::HasSubstr("disk full"))) << "said once, then over";
}

TEST(SnapshotWriterTest, NothingToWriteWritesNothing) {
  Problems problems;
  bool called = false;
  {
    SnapshotWriter writer(kQuick, problems, [&](const std::shared_ptr<const Snapshot>&) {
      called = true;
      return absl::OkStatus();
    });
  }
  EXPECT_FALSE(called);
}

TEST(SnapshotWriterTest, ADiskThatStaysFullDoesNotHoldUpTheEnd) {
  Problems problems;
  SnapshotWriter writer(kNever, problems, [](const std::shared_ptr<const Snapshot>&) {
    return absl::ResourceExhaustedError("disk full");
  });
  writer.Write(SnapshotAt(1));
}

}  // namespace
}  // namespace autopxe::agent
