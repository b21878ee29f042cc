#include "server/feed/feed.h"

#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "common/model/host.h"
#include "common/model/mac_address.h"
#include "common/model/snapshot.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;

// The tag of a revision in a server's own line of history.
uint64_t Tag(int64_t number) { return number == 0 ? 0 : 0xabc0000 + static_cast<uint64_t>(number); }

RevisionId Id(int64_t number) { return {number, Tag(number)}; }

// A server that makes changes and keeps them all, as the tables do.
class History {
 public:
  History() : snapshot_(Snapshot::Empty(Revision())) {}

  std::shared_ptr<const Snapshot> snapshot() const { return snapshot_; }

  // One more revision, which changes `hosts` hosts.
  std::shared_ptr<const Change> Make(int hosts = 1) {
    const int64_t number = snapshot_->revision().id.number + 1;
    auto change = std::make_shared<Change>();
    change->base = snapshot_->revision().id;
    change->revision.id = Id(number);
    for (int i = 1; i <= hosts; ++i) {
      const MacAddress mac = MacAddress::FromNumber(0x525400000000 + static_cast<uint64_t>(i));
      change->hosts.push_back(std::make_shared<Host>(Host{.id = HostId{i},
                                                          .name = NameByMac(mac),
                                                          .macs = {mac},
                                                          .distro = Distro::Menu(),
                                                          .etag = number}));
    }
    absl::StatusOr<std::shared_ptr<const Snapshot>> next = Apply(*snapshot_, *change);
    EXPECT_THAT(next, IsOk());
    snapshot_ = *next;
    changes_.push_back(*change);
    return change;
  }

  void MakeAndPublish(Feed& feed, int hosts = 1) {
    std::shared_ptr<const Change> change = Make(hosts);
    feed.Publish(change, snapshot_);
  }

  // What the tables answer; `trimmed`: up to which revision they have forgotten.
  Feed::ChangesSince Tables(int64_t trimmed = 0) {
    return [this, trimmed](RevisionId since) -> absl::optional<std::vector<Change>> {
      ++reads_;
      if (since.number < trimmed || since.number >= static_cast<int64_t>(changes_.size()) ||
          since.tag != Tag(since.number)) {
        return absl::nullopt;
      }
      return std::vector<Change>(changes_.begin() + since.number, changes_.end());
    };
  }

  int reads() const { return reads_; }

 private:
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Change> changes_;
  int reads_ = 0;
};

absl::optional<std::vector<Change>> NoTables(RevisionId) { return absl::nullopt; }

// What the watcher gets until there is nothing: "snapshot 3", "change 4", ...
std::vector<std::string> Drain(const Feed& feed, Feed::Cursor& cursor) {
  std::vector<std::string> events;
  while (true) {
    const Feed::Event event = feed.Next(cursor);
    if (const auto* change = std::get_if<std::shared_ptr<const Change>>(&event)) {
      events.push_back(absl::StrCat("change ", (*change)->revision.id.number));
    } else if (const auto* snapshot = std::get_if<std::shared_ptr<const Snapshot>>(&event)) {
      events.push_back(absl::StrCat("snapshot ", (*snapshot)->revision().id.number));
    } else {
      return events;
    }
  }
}

TEST(FeedTest, AWatcherWithoutAnythingGetsASnapshotThenEachChange) {
  History history;
  Feed feed(history.snapshot(), NoTables);
  Feed::Cursor cursor = feed.Resume(absl::nullopt);
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("snapshot 0"));
  EXPECT_THAT(Drain(feed, cursor), ElementsAre());
  history.MakeAndPublish(feed);
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("change 1"));
  history.MakeAndPublish(feed);
  history.MakeAndPublish(feed);
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("change 2", "change 3"));
  EXPECT_EQ(cursor.position(), Id(3));
  EXPECT_EQ(feed.Current(), history.snapshot());
}

// faults.md 38.
TEST(FeedTest, WhereAWatcherResumesDecidesWhatItGets) {
  // Revisions 1 to 10: the ring has the changes that lead to 8, 9 and 10, the tables those after 4.
  History history;
  Feed feed(history.snapshot(), history.Tables(/*trimmed=*/4), {.changes = 3, .resources = 1000});
  for (int i = 0; i < 10; ++i) history.MakeAndPublish(feed);
  Feed wide(history.snapshot(), history.Tables(/*trimmed=*/4), {.changes = 6, .resources = 1000});

  const struct {
    absl::optional<RevisionId> position;
    const Feed& feed;
    std::vector<std::string> want;
  } kCases[] = {
      {absl::nullopt, feed, {"snapshot 10"}},
      {Id(0), feed, {"snapshot 10"}},
      {RevisionId{0, 77}, feed, {"snapshot 10"}},
      {RevisionId{-1, 0}, feed, {"snapshot 10"}},
      {RevisionId{INT64_MIN, 0}, feed, {"snapshot 10"}},
      {Id(10), feed, {}},
      {RevisionId{10, 77}, feed, {"snapshot 10"}},
      {Id(9), feed, {"change 10"}},
      {RevisionId{9, 77}, feed, {"snapshot 10"}},
      {Id(7), feed, {"change 8", "change 9", "change 10"}},
      // Further behind than the ring is long: a snapshot, though the tables have the changes.
      {Id(6), feed, {"snapshot 10"}},
      {Id(11), feed, {"snapshot 10"}},
      {RevisionId{INT64_MAX, 1}, feed, {"snapshot 10"}},
      // An empty ring, as after a restart: the tables.
      {Id(10), wide, {}},
      {Id(9), wide, {"change 10"}},
      {Id(5), wide, {"change 6", "change 7", "change 8", "change 9", "change 10"}},
      {RevisionId{5, 77}, wide, {"snapshot 10"}},
      {Id(3), wide, {"snapshot 10"}},  // Trimmed.
  };
  for (const auto& c : kCases) {
    Feed::Cursor cursor = c.feed.Resume(c.position);
    EXPECT_EQ(Drain(c.feed, cursor), c.want)
        << (c.position.has_value() ? c.position->Format() : "none") << " "
        << (&c.feed == &wide ? "wide" : "feed");
    EXPECT_EQ(cursor.position(), Id(10));
  }
}

TEST(FeedTest, TheTablesAreReadOnlyWhenTheRingCanNotTell) {
  History history;
  Feed feed(history.snapshot(), history.Tables());
  for (int i = 0; i < 5; ++i) history.MakeAndPublish(feed);
  for (absl::optional<RevisionId> position :
       {absl::optional<RevisionId>(), absl::make_optional(Id(0)), absl::make_optional(Id(1)),
        absl::make_optional(Id(5)), absl::make_optional(Id(6))}) {
    feed.Resume(position);
  }
  EXPECT_EQ(history.reads(), 0);
  feed.Resume(RevisionId{3, 99});
  EXPECT_EQ(history.reads(), 1);
}

// faults.md 39.
TEST(FeedTest, ASlowWatcherFallsBehindAndThenGetsASnapshotNeverAGap) {
  History history;
  Feed feed(history.snapshot(), NoTables, {.changes = 3, .resources = 1000});
  Feed::Cursor slow = feed.Resume(absl::nullopt);
  EXPECT_THAT(Drain(feed, slow), ElementsAre("snapshot 0"));
  for (int i = 0; i < 3; ++i) history.MakeAndPublish(feed);
  Feed::Cursor slower = slow;
  EXPECT_THAT(Drain(feed, slow), ElementsAre("change 1", "change 2", "change 3"));
  history.MakeAndPublish(feed);
  EXPECT_THAT(Drain(feed, slower), ElementsAre("snapshot 4"));
  history.MakeAndPublish(feed);
  EXPECT_THAT(Drain(feed, slower), ElementsAre("change 5"));
}

TEST(FeedTest, TheRingIsBoundedByWhatItsChangesHoldToo) {
  History history;
  Feed feed(history.snapshot(), NoTables, {.changes = 100, .resources = 10});
  for (int i = 0; i < 5; ++i) history.MakeAndPublish(feed, /*hosts=*/4);
  Feed::Cursor one_of_the_last_two = feed.Resume(Id(3));
  EXPECT_THAT(Drain(feed, one_of_the_last_two), ElementsAre("change 4", "change 5"));
  Feed::Cursor older = feed.Resume(Id(2));
  EXPECT_THAT(Drain(feed, older), ElementsAre("snapshot 5"));
  // A change that alone is more than the limit leaves nothing in the ring, and everyone a snapshot.
  Feed::Cursor current = feed.Resume(Id(5));
  history.MakeAndPublish(feed, /*hosts=*/11);
  EXPECT_THAT(Drain(feed, current), ElementsAre("snapshot 6"));
  history.MakeAndPublish(feed);
  EXPECT_THAT(Drain(feed, current), ElementsAre("change 7"));
}

TEST(FeedTest, WhatTheTablesHaveBeforeItIsPublishedComesOnce) {
  History history;
  for (int i = 0; i < 3; ++i) history.Make();
  Feed feed(history.snapshot(), history.Tables());
  // Committed, and not yet published.
  std::shared_ptr<const Change> fourth = history.Make();
  Feed::Cursor cursor = feed.Resume(Id(1));
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("change 2", "change 3"));
  feed.Publish(fourth, history.snapshot());
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("change 4"));
}

TEST(FeedTest, TablesThatTellNoUnbrokenStoryAreNotBelieved) {
  History history;
  for (int i = 0; i < 4; ++i) history.Make();
  const auto gap = [&](RevisionId since) {
    auto changes = history.Tables()(since);
    changes->erase(changes->begin() + 1);
    return changes;
  };
  const auto ends_early = [&](RevisionId since) {
    auto changes = history.Tables()(since);
    changes->pop_back();
    return changes;
  };
  for (const Feed::ChangesSince& tables :
       {Feed::ChangesSince(gap), Feed::ChangesSince(ends_early)}) {
    Feed feed(history.snapshot(), tables);
    Feed::Cursor cursor = feed.Resume(Id(1));
    EXPECT_THAT(Drain(feed, cursor), ElementsAre("snapshot 4"));
  }
}

TEST(FeedTest, AConfigurationReadAnewFromTheDiskIsASnapshotForEveryone) {
  History history;
  Feed feed(history.snapshot(), NoTables);
  history.MakeAndPublish(feed);
  Feed::Cursor cursor = feed.Resume(absl::nullopt);
  Drain(feed, cursor);
  history.Make();
  feed.Publish(nullptr, history.snapshot());
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("snapshot 2"));
  history.Make();
  std::shared_ptr<const Change> fourth = history.Make();
  feed.Publish(fourth, history.snapshot());
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("snapshot 4"));
  history.MakeAndPublish(feed);
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("change 5"));
}

TEST(FeedTest, LagCountsRevisionsAndKnowsStrangers) {
  History history;
  Feed feed(history.snapshot(), NoTables, {.changes = 3, .resources = 1000});
  EXPECT_EQ(feed.Lag(Id(0)), 0);
  for (int i = 0; i < 10; ++i) history.MakeAndPublish(feed);
  const struct {
    RevisionId applied;
    int64_t want;
  } kCases[] = {
      {Id(10), 0}, {{10, 77}, -1}, {Id(9), 1},  {{9, 77}, -1}, {Id(7), 3},    {{7, 77}, -1},
      {Id(6), 4},  {{6, 77}, 4},   {Id(0), 10}, {Id(11), -1},  {{-1, 0}, -1},
  };
  for (const auto& c : kCases) EXPECT_EQ(feed.Lag(c.applied), c.want) << c.applied.Format();
}

TEST(FeedTest, AStrangerThatTheRingDoesNotReachIsLookedUpOnce) {
  History history;
  std::vector<std::string> looked_up;
  absl::optional<bool> answer;
  Feed feed(history.snapshot(), NoTables, {.changes = 3, .resources = 1000}, [&](RevisionId id) {
    looked_up.push_back(id.Format());
    return answer;
  });
  for (int i = 0; i < 10; ++i) history.MakeAndPublish(feed);
  EXPECT_EQ(feed.Lag(Id(6)), 4) << "while it can't be told, no alarm";
  answer = true;
  EXPECT_EQ(feed.Lag(Id(6)), 4);
  answer = false;
  EXPECT_EQ(feed.Lag({6, 77}), -1);
  const std::vector<std::string> want = {Id(6).Format(), Id(6).Format(),
                                         RevisionId{6, 77}.Format()};
  EXPECT_EQ(looked_up, want);
  history.MakeAndPublish(feed);
  EXPECT_EQ(feed.Lag(Id(6)), 5);
  EXPECT_EQ(feed.Lag({6, 77}), -1);
  EXPECT_EQ(feed.Lag(Id(0)), 11);
  EXPECT_EQ(feed.Lag({9, 77}), -1);
  EXPECT_EQ(looked_up, want) << "once each, and never what is in memory";
}

TEST(FeedTest, AWatcherCanBeStartedAtAnOlderSnapshotAsLongAsTheRingLeadsOn) {
  History history;
  Feed feed(history.snapshot(), NoTables, {.changes = 3, .resources = 1000});
  for (int i = 0; i < 10; ++i) history.MakeAndPublish(feed);
  EXPECT_TRUE(feed.ResourcesAfter(Id(10)).has_value());
  EXPECT_TRUE(feed.ResourcesAfter(Id(7)).has_value());
  EXPECT_FALSE(feed.ResourcesAfter(Id(6)).has_value());
  EXPECT_FALSE(feed.ResourcesAfter(RevisionId{8, 77}).has_value());
  Feed::Cursor cursor = Feed::At(Id(8));
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("change 9", "change 10"));
  cursor = Feed::At(Id(6));
  EXPECT_THAT(Drain(feed, cursor), ElementsAre("snapshot 10"));
}

TEST(FeedTest, SubscribersAreToldAfterTheChangeCanBeSeen) {
  History history;
  Feed feed(history.snapshot(), NoTables);
  std::vector<int64_t> seen;
  Feed::Subscription subscription =
      feed.Subscribe([&] { seen.push_back(feed.Current()->revision().id.number); });
  history.MakeAndPublish(feed);
  history.MakeAndPublish(feed);
  Feed::Subscription moved = std::move(subscription);
  subscription.End();
  history.MakeAndPublish(feed);
  moved.End();
  moved.End();
  history.MakeAndPublish(feed);
  EXPECT_THAT(seen, ElementsAre(1, 2, 3));
}

TEST(FeedTest, EndingASubscriptionWaitsForACallThatIsUnderWay) {
  History history;
  Feed feed(history.snapshot(), NoTables);
  absl::Notification called, go_on;
  bool finished = false;
  Feed::Subscription subscription = feed.Subscribe([&] {
    called.Notify();
    go_on.WaitForNotification();
    finished = true;
  });
  std::thread publisher([&] { history.MakeAndPublish(feed); });
  called.WaitForNotification();
  std::thread releaser([&] { go_on.Notify(); });
  subscription.End();
  EXPECT_TRUE(finished);
  publisher.join();
  releaser.join();
}

// Watchers that drain at random moments while changes are made from another thread: each ends with
// the same configuration, in order, without a gap or a repeat.
TEST(FeedTest, EveryWatcherSeesOneUnbrokenStoryUnderConcurrency) {
  constexpr int kChanges = 3000;
  History history;
  Feed feed(history.snapshot(), NoTables, {.changes = 64, .resources = 1000});
  std::vector<std::thread> watchers;
  for (int w = 0; w < 4; ++w) {
    watchers.emplace_back([&feed] {
      Feed::Cursor cursor = feed.Resume(absl::nullopt);
      int64_t at = -1;
      while (at < kChanges) {
        const Feed::Event event = feed.Next(cursor);
        if (const auto* change = std::get_if<std::shared_ptr<const Change>>(&event)) {
          ASSERT_EQ((*change)->base.number, at);
          at = (*change)->revision.id.number;
        } else if (const auto* snapshot = std::get_if<std::shared_ptr<const Snapshot>>(&event)) {
          ASSERT_GT((*snapshot)->revision().id.number, at);
          at = (*snapshot)->revision().id.number;
        } else {
          std::this_thread::yield();
        }
      }
    });
  }
  for (int i = 0; i < kChanges; ++i) history.MakeAndPublish(feed);
  for (std::thread& watcher : watchers) watcher.join();
}

TEST(FeedTest, CountsTheResourcesOfTheChangesThatFollow) {
  History history;
  Feed feed(history.snapshot(), NoTables, {.changes = 3, .resources = 1000});
  EXPECT_EQ(feed.ResourcesAfter(Id(0)), 0u);
  for (const int hosts : {5, 1, 20, 3}) history.MakeAndPublish(feed, hosts);
  EXPECT_EQ(feed.ResourcesAfter(Id(0)), absl::nullopt);
  EXPECT_EQ(feed.ResourcesAfter(Id(1)), 24u);
  EXPECT_EQ(feed.ResourcesAfter(Id(3)), 3u);
  EXPECT_EQ(feed.ResourcesAfter(Id(4)), 0u);
  EXPECT_EQ(feed.ResourcesAfter(Id(5)), absl::nullopt);
  EXPECT_EQ(feed.ResourcesAfter({3, 1}), absl::nullopt);
}

}  // namespace
}  // namespace autopxe::server
