#include "agent/view/view.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/model/snapshot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

std::shared_ptr<const Snapshot> SnapshotAt(int64_t number) {
  Revision revision;
  revision.id = {.number = number, .tag = static_cast<uint64_t>(number) * 7};
  return Snapshot::Empty(revision);
}

TEST(ViewTest, IsNullUntilTheFirstSnapshotHasCome) {
  View view;
  EXPECT_EQ(view.Current(), nullptr);
}

TEST(ViewTest, GivesTheVerySnapshotThatWasSet) {
  View view;
  const auto first = SnapshotAt(1);
  view.Set(first);
  EXPECT_EQ(view.Current(), first);
  const auto second = SnapshotAt(2);
  view.Set(second);
  EXPECT_EQ(view.Current(), second);
}

TEST(ViewTest, ItsAgeIsTheTimeSinceItWasLastConfirmed) {
  View view;
  EXPECT_EQ(view.AgeAt(absl::Hours(1)), absl::nullopt);
  view.Confirm(absl::Hours(1));
  EXPECT_EQ(view.AgeAt(absl::Hours(1)), absl::nullopt) << "nothing is served yet";
  view.Set(Snapshot::Empty(Revision()));
  EXPECT_EQ(view.AgeAt(absl::Hours(1)), absl::ZeroDuration());
  EXPECT_EQ(view.AgeAt(absl::Hours(3)), absl::Hours(2));
  view.Confirm(absl::Hours(3));
  EXPECT_EQ(view.AgeAt(absl::Hours(3)), absl::ZeroDuration());
  // One that was on disk for longer than this machine runs.
  view.Confirm(-absl::Hours(24));
  EXPECT_EQ(view.AgeAt(absl::Hours(1)), absl::Hours(25));
}

TEST(ViewTest, AReaderKeepsItsSnapshotWhenAnotherIsSet) {
  View view;
  view.Set(SnapshotAt(1));
  const auto kept = view.Current();
  view.Set(SnapshotAt(2));
  EXPECT_EQ(kept->revision().id.number, 1);
  EXPECT_EQ(kept.use_count(), 1);
}

TEST(ViewTest, ReadersBesideAWriterSeeRevisionsInOrder) {
  View view;
  view.Set(SnapshotAt(0));
  std::atomic<bool> ordered = true;
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) {
    readers.emplace_back([&view, &ordered] {
      int64_t last = 0;
      while (last < 1000) {
        const auto id = view.Current()->revision().id;
        if (id.number < last || id.tag != static_cast<uint64_t>(id.number) * 7) ordered = false;
        last = id.number;
      }
    });
  }
  for (int64_t number = 1; number <= 1000; ++number) view.Set(SnapshotAt(number));
  for (std::thread& reader : readers) reader.join();
  EXPECT_TRUE(ordered);
}

}  // namespace
}  // namespace autopxe::agent
