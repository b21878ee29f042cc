#include "agent/view/view.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
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

const MacAddress kMac = MacAddress::FromNumber(0x525400123456);

// A host whose next boot has `token`; 0: it has none.
std::shared_ptr<const Snapshot> NextBootAt(int64_t number, int64_t token) {
  Host host{.id = HostId{1}, .name = NameByMac(kMac), .macs = {kMac}};
  if (token > 0) host.next = NextBoot{Distro::Local(), token};
  Revision revision;
  revision.id = {number, 7};
  return *Snapshot::Create(revision, Settings(), {}, {std::make_shared<const Host>(host)});
}

int64_t TokenIn(const Snapshot& snapshot) {
  const auto host = snapshot.FindHost(kMac);
  return host->next.has_value() ? host->next->token : 0;
}

TEST(ViewTest, ANextBootIsUsedOnceAndIsGoneFromWhatIsServed) {
  View view;
  EXPECT_EQ(view.UseNextBoot(kMac, 5), absl::nullopt);
  const auto received = NextBootAt(5, 5);
  view.Set(received);
  EXPECT_EQ(view.UseNextBoot(kMac, 4), absl::nullopt);
  EXPECT_EQ(view.UseNextBoot(MacAddress::FromNumber(0x525400123457), 5), absl::nullopt);
  EXPECT_EQ(view.Current(), received);

  EXPECT_EQ(view.UseNextBoot(kMac, 5), (UsedNextBoot{HostId{1}, 5}));
  EXPECT_EQ(TokenIn(*view.Current()), 0);
  EXPECT_EQ(view.Received(), received);
  EXPECT_EQ(view.UseNextBoot(kMac, 5), absl::nullopt);
}

TEST(ViewTest, AUsedNextBootStaysUsedUntilTheServerHasTakenItAway) {
  View view;
  view.Set(NextBootAt(5, 5));
  view.UseNextBoot(kMac, 5);
  view.Set(NextBootAt(6, 5));
  EXPECT_EQ(TokenIn(*view.Current()), 0);
  EXPECT_EQ(TokenIn(*view.Received()), 5);
  EXPECT_EQ(view.Current()->revision().id.number, 6);
  // Another one is assigned before the server has heard of it.
  view.Set(NextBootAt(7, 7));
  EXPECT_EQ(TokenIn(*view.Current()), 7);
  EXPECT_EQ(view.UseNextBoot(kMac, 7), (UsedNextBoot{HostId{1}, 7}));
  const auto taken_away = NextBootAt(8, 0);
  view.Set(taken_away);
  EXPECT_EQ(view.Current(), taken_away);
}

TEST(ViewTest, WhatWasUsedBeforeTheStartIsUsed) {
  View view;
  view.NoteUsed({{HostId{1}, 5}, {HostId{2}, 5}});
  view.Set(NextBootAt(5, 5));
  EXPECT_EQ(TokenIn(*view.Current()), 0);
  EXPECT_EQ(view.UseNextBoot(kMac, 5), absl::nullopt);
}

TEST(ViewTest, OfManyThatUseANextBootAtOnceOneHasIt) {
  for (int64_t round = 1; round <= 100; ++round) {
    View view;
    view.Set(NextBootAt(round, round));
    std::atomic<int> uses = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] { uses += view.UseNextBoot(kMac, round).has_value() ? 1 : 0; });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(uses, 1);
  }
}

}  // namespace
}  // namespace autopxe::agent
