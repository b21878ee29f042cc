#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/grpc_status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/services/agent_service_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_F(AgentServiceTest, ANewAgentGetsASnapshotThenEachChangeAsItIsMade) {
  Revise(3);
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 3");
  Revise(2);
  EXPECT_EQ(watcher.Next(), "change 4");
  EXPECT_EQ(watcher.Next(), "change 5");
  EXPECT_TRUE(SameHosts(*watcher.snapshot(), *feed().Current()));
}

// faults.md 38.
TEST_F(AgentServiceTest, AnAgentResumesWhereItWas) {
  Revise(3);
  const RevisionId second{2, 0x1002};
  Watcher watcher(server_.Connect(), "east", second);
  EXPECT_EQ(watcher.Next(), "change 3");
  Watcher restored(server_.Connect(), "west", RevisionId{2, 0xbad});
  EXPECT_EQ(restored.Next(), "snapshot 3");
  Watcher future(server_.Connect(), "north", RevisionId{9, 0x1009});
  EXPECT_EQ(future.Next(), "snapshot 3");
  Watcher negative(server_.Connect(), "south", RevisionId{-9, 1});
  EXPECT_EQ(negative.Next(), "snapshot 3");
}

TEST_F(AgentServiceTest, AnAgentThatMissedNothingHearsAtOnceThatItIsConnected) {
  Revise(3);
  Watcher watcher(server_.Connect(), "east", feed().Current()->revision().id);
  EXPECT_EQ(watcher.Next(), "heartbeat 3");
  EXPECT_EQ(watcher.last_heartbeat().revision().tag(), feed().Current()->revision().id.tag);
}

TEST_F(AgentServiceTest, TenSecondsOfSilenceAreBrokenByAHeartbeat) {
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  clock_.Advance(absl::Milliseconds(9'999));
  Revise(1);
  EXPECT_EQ(watcher.Next(), "change 1");
  // A change is sent, so the silence begins again.
  clock_.Advance(absl::Milliseconds(9'999));
  Revise(1);
  EXPECT_EQ(watcher.Next(), "change 2");
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(watcher.Next(), "heartbeat 2");
  EXPECT_EQ(watcher.last_heartbeat().time().seconds(), absl::ToUnixSeconds(clock_.Now()));
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(watcher.Next(), "heartbeat 2");
}

// faults.md 44.
TEST_F(AgentServiceTest, AClockThatJumpsByAYearNeitherMakesAHeartbeatNorHidesOne) {
  const absl::Duration year = absl::Hours(24 * 365);
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  for (const absl::Duration jump : {year, -2 * year}) {
    clock_.Step(clock_.Now() + jump);
    clock_.Advance(absl::Milliseconds(9'999));
    Revise(1);
    EXPECT_EQ(watcher.Next(), absl::StrCat("change ", feed().Current()->revision().id.number));
    clock_.Advance(absl::Seconds(10));
    EXPECT_EQ(watcher.Next(), absl::StrCat("heartbeat ", feed().Current()->revision().id.number));
  }
}

TEST_F(AgentServiceTest, EachChangeIsEncodedOnceForAllWatchers) {
  constexpr int kWatchers = 100;
  std::vector<std::unique_ptr<Watcher>> watchers;
  const auto channel = server_.Connect();
  for (int i = 0; i < kWatchers; ++i) {
    watchers.push_back(std::make_unique<Watcher>(channel, absl::StrCat("agent-", i)));
  }
  for (auto& watcher : watchers) EXPECT_EQ(watcher->Next(), "snapshot 0");
  Revise(10);
  for (auto& watcher : watchers) {
    watcher->FollowTo(10);
    EXPECT_TRUE(SameHosts(*watcher->snapshot(), *feed().Current()));
  }
  EXPECT_EQ(hub_.encoded().encoded_changes(), 10u);
  EXPECT_EQ(hub_.encoded().encoded_snapshots(), 1u);
  EXPECT_EQ(List(1000).agents_size(), kWatchers);
}

TEST_F(AgentServiceTest, WatchersSeeOneUnbrokenStoryWhileOthersComeAndGo) {
  constexpr int kRevisions = 400;
  std::vector<std::thread> agents;
  for (int i = 0; i < 6; ++i) {
    agents.emplace_back([this, i] {
      const auto channel = server_.Connect();
      absl::optional<RevisionId> at;
      std::shared_ptr<const Snapshot> have;
      // Comes back every so often, from where it was.
      for (int64_t to : {int64_t{50}, int64_t{51}, int64_t{200}, int64_t{kRevisions}}) {
        Watcher watcher(channel, absl::StrCat("agent-", i), at);
        watcher.Have(have);
        watcher.FollowTo(to);
        have = watcher.snapshot();
        at = have->revision().id;
      }
      EXPECT_TRUE(SameHosts(*have, *feed().Current()));
    });
  }
  for (int i = 0; i < kRevisions; ++i)
    Assign(1 + i % 7, i % 2 == 0 ? Distro::Menu() : Distro::Wait());
  // Hosts that already have the distro make no revision: fill up.
  while (feed().Current()->revision().id.number < kRevisions) Revise(1);
  for (std::thread& agent : agents) agent.join();
}

TEST_F(AgentServiceTest, AChangeTooLargeForOneMessageArrivesAsASnapshot) {
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  WriteRequest request;
  // By what each host says rather than by their number, which costs time.
  const Note note = *Note::Parse(std::string(1'000, 'n'));
  for (uint64_t i = 0; i < 2'200; ++i) {
    const MacAddress mac = MacAddress::FromNumber(0x525400000000 + i);
    request.batch.mutations.push_back(autopxe::Assign{mac, Distro::Menu()});
    request.batch.mutations.push_back(UpdateHost{.host = mac, .note = note});
  }
  writer_.Apply(std::move(request), MustSucceed);
  EXPECT_EQ(watcher.Next(), "snapshot 1");
  Assign(1, Distro::Wait());
  EXPECT_EQ(watcher.Next(), "change 2");
  EXPECT_TRUE(SameHosts(*watcher.snapshot(), *feed().Current()));
}

// The ring is short, so that falling behind is quick.
class ShortRingTest : public AgentServiceTest {
 protected:
  ShortRingTest() : AgentServiceTest({.changes = 4, .resources = 1'000'000}) {}
};

// faults.md 39.
TEST_F(ShortRingTest, AWatcherThatStopsReadingGetsASnapshotLaterAndNobodyElseNotices) {
  // Each revision changes all hosts: together far more than the 64 KiB that HTTP/2 lets a stream
  // have under way.
  const auto assign_all = [&](const Distro& distro) {
    WriteRequest request;
    for (uint64_t i = 1; i <= 300; ++i) {
      request.batch.mutations.push_back(
          autopxe::Assign{MacAddress::FromNumber(0x525400000000 + i), distro});
    }
    writer_.Apply(std::move(request), MustSucceed);
  };
  assign_all(Distro::Menu());
  Watcher stopped(server_.ConnectWithSmallWindow(), "stopped");
  EXPECT_EQ(stopped.Next(), "snapshot 1");
  Watcher good(server_.Connect(), "good");
  good.FollowTo(1);
  for (int revision = 2; revision <= 60; ++revision) {
    assign_all(revision % 2 == 0 ? Distro::Wait() : Distro::Menu());
    good.FollowTo(revision);
  }
  std::vector<std::string> events;
  while (stopped.snapshot()->revision().id.number < 60) events.push_back(stopped.Next());
  EXPECT_TRUE(SameHosts(*stopped.snapshot(), *feed().Current()));
  // Watcher::Next has checked that there is no gap; that it has skipped something is the point of
  // the snapshot.
  EXPECT_LT(events.size(), 59u);
  EXPECT_TRUE(std::any_of(events.begin(), events.end(), [](const std::string& event) {
    return event.rfind("snapshot", 0) == 0;
  })) << testing::PrintToString(events);
}

TEST_F(AgentServiceTest, AStoppingServerEndsItsWatchesWithUnavailable) {
  Watcher watcher(server_.Connect(), "east");
  EXPECT_EQ(watcher.Next(), "snapshot 0");
  hub_.Stop();
  EXPECT_EQ(watcher.Next(), "end");
  EXPECT_THAT(ToAbslStatus(watcher.status()),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("stopping")));
  Watcher late(server_.Connect(), "west");
  EXPECT_EQ(late.Next(), "end");
  EXPECT_THAT(ToAbslStatus(late.status()), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AgentServiceTest, AWatchWithoutAProperIdIsRefused) {
  const struct {
    const char* agent;
    const char* instance;
    const char* field;
  } kCases[] = {
      {"", "i", "agent_id"},     {"a b", "i", "agent_id"}, {"a\nb", "i", "agent_id"},
      {"../x", "i", "agent_id"}, {"east", "", "instance"}, {"east", "i\x1b[0m", "instance"},
  };
  for (const auto& c : kCases) {
    Watcher watcher(server_.Connect(), c.agent, absl::nullopt, c.instance);
    EXPECT_EQ(watcher.Next(), "end");
    EXPECT_THAT(ToAbslStatus(watcher.status()),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.field)));
  }
  EXPECT_THAT(List().agents(), IsEmpty());
}

TEST_F(AgentServiceTest, AnAgentThatGoesIsNoLongerConnected) {
  {
    Watcher watcher(server_.Connect(), "east");
    EXPECT_EQ(watcher.Next(), "snapshot 0");
    const auto agents = List();
    ASSERT_EQ(agents.agents_size(), 1);
    EXPECT_TRUE(agents.agents(0).connected());
    EXPECT_EQ(agents.agents(0).watches(), 1);
  }
  while (hub_.watches() > 0) std::this_thread::yield();
  EXPECT_FALSE(List().agents(0).connected());
}

// faults.md 44.
TEST_F(AgentServiceTest, TwoAgentsUnderOneIdBothFollowAndAreSeen) {
  Watcher one(server_.Connect(), "east", absl::nullopt, "one");
  Watcher two(server_.Connect(), "east", absl::nullopt, "two");
  EXPECT_EQ(one.Next(), "snapshot 0");
  EXPECT_EQ(two.Next(), "snapshot 0");
  EXPECT_EQ(List().agents(0).watches(), 2);
  Revise(1);
  EXPECT_EQ(one.Next(), "change 1");
  EXPECT_EQ(two.Next(), "change 1");
}

}  // namespace
}  // namespace autopxe::server
