#include "server/services/agent_registry.h"

#include <string>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

AgentId Id(const char* id) { return *AgentId::Parse(id); }
AgentInstance Instance(const char* id) { return *AgentInstance::Parse(id); }

AgentStatus Status(const char* instance, int64_t applied) {
  AgentStatus status{.instance = Instance(instance)};
  status.applied = {applied, 1};
  status.version = "0.1.0";
  return status;
}

std::vector<std::string> Ids(const std::vector<AgentRegistry::Entry>& entries) {
  std::vector<std::string> ids;
  for (const auto& entry : entries) ids.push_back(entry.id.text());
  return ids;
}

TEST(AgentRegistryTest, TheStatusReportedLastIsListedWithItsTime) {
  FakeClock clock;
  AgentRegistry registry(clock);
  registry.Report(Id("a"), Status("i", 1));
  clock.Advance(absl::Seconds(30));
  registry.Report(Id("a"), Status("i", 2));
  const auto entries = registry.List("", 10);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].status, Status("i", 2));
  EXPECT_EQ(entries[0].last_seen, clock.Now());
  clock.Advance(absl::Seconds(5));
  registry.Seen(Id("a"));
  EXPECT_EQ(registry.List("", 10)[0].last_seen, clock.Now());
  EXPECT_EQ(registry.List("", 10)[0].reported_at, clock.Now() - absl::Seconds(5));
}

TEST(AgentRegistryTest, WhenItToldWhatItOffersIsKnownUntilItIsForgotten) {
  FakeClock clock;
  AgentRegistry registry(clock);
  registry.Report(Id("a"), Status("i", 1));
  EXPECT_EQ(registry.Find(Id("a"))->catalog_at, absl::nullopt);
  clock.Advance(absl::Seconds(5));
  registry.CatalogReported(Id("a"), Instance("i"));
  const absl::Time told = clock.Now();
  clock.Advance(absl::Seconds(5));
  registry.Seen(Id("a"));
  EXPECT_EQ(registry.Find(Id("a"))->catalog_at, told);
  EXPECT_EQ(registry.List("", 10)[0].catalog_at, told);
  EXPECT_EQ(registry.Find(Id("a"))->last_seen, clock.Now());
  EXPECT_THAT(registry.Remove(Id("a")), IsOk());
  registry.Seen(Id("a"));
  EXPECT_EQ(registry.Find(Id("a"))->catalog_at, absl::nullopt);
}

TEST(AgentRegistryTest, OnlyAnAgentThatIsKnownAndAwayCanBeRemoved) {
  FakeClock clock;
  AgentRegistry registry(clock);
  EXPECT_THAT(registry.Remove(Id("a")),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("agent \"a\": never heard of")));
  registry.WatchBegan(Id("a"), Instance("i"));
  EXPECT_THAT(registry.Remove(Id("a")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("stop it first")));
  registry.WatchEnded(Id("a"), Instance("i"));
  EXPECT_THAT(registry.Remove(Id("a")), IsOk());
  EXPECT_THAT(registry.List("", 10), IsEmpty());
  registry.Report(Id("a"), Status("i", 1));
  EXPECT_EQ(registry.List("", 10).size(), 1u) << "there again once it reports";
}

TEST(AgentRegistryTest, WhatWasKnownBeforeIsListedAndNotConnected) {
  FakeClock clock;
  AgentRegistry registry(clock);
  registry.Restore(Id("old"), Status("i", 7), absl::FromUnixSeconds(5));
  const auto entries = registry.List("", 10);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].status->applied.number, 7);
  EXPECT_EQ(entries[0].last_seen, absl::FromUnixSeconds(5));
  EXPECT_EQ(entries[0].watches, 0);
}

// faults.md 44.
TEST(AgentRegistryTest, TwoInstancesUnderOneIdAreSeenOneThatCameBackIsNot) {
  FakeClock clock;
  AgentRegistry registry(clock);
  EXPECT_FALSE(registry.WatchBegan(Id("a"), Instance("one")));
  // Its connection was lost, which the server has not noticed yet.
  EXPECT_FALSE(registry.WatchBegan(Id("a"), Instance("one")));
  EXPECT_EQ(registry.List("", 10)[0].watches, 1);
  EXPECT_TRUE(registry.WatchBegan(Id("a"), Instance("two")));
  EXPECT_EQ(registry.List("", 10)[0].watches, 2);
  registry.WatchEnded(Id("a"), Instance("one"));
  EXPECT_EQ(registry.List("", 10)[0].watches, 2);
  registry.WatchEnded(Id("a"), Instance("one"));
  EXPECT_EQ(registry.List("", 10)[0].watches, 1);
  registry.WatchEnded(Id("a"), Instance("two"));
  EXPECT_EQ(registry.List("", 10)[0].watches, 0);
}

TEST(AgentRegistryTest, ACatalogIsWantedOfWhoeverStaysWhenTheOneThatToldItHasLeft) {
  FakeClock clock;
  AgentRegistry registry(clock);
  const auto is_wanted = [&](const char* instance) {
    return registry.Report(Id("a"), Status(instance, 1)).catalog_wanted;
  };
  registry.WatchBegan(Id("a"), Instance("one"));
  EXPECT_TRUE(is_wanted("one")) << "none was told";
  registry.CatalogReported(Id("a"), Instance("one"));
  EXPECT_FALSE(is_wanted("one"));
  registry.WatchBegan(Id("a"), Instance("two"));
  registry.CatalogReported(Id("a"), Instance("two"));
  EXPECT_FALSE(is_wanted("one")) << "they would replace each other's for as long as both run";
  EXPECT_FALSE(is_wanted("two"));
  registry.WatchEnded(Id("a"), Instance("two"));
  EXPECT_TRUE(is_wanted("one"));
  registry.CatalogReported(Id("a"), Instance("one"));
  EXPECT_FALSE(is_wanted("one"));
}

TEST(AgentRegistryTest, ItsOwnCatalogIsNotWantedAgainWhileItsWatchIsInterrupted) {
  FakeClock clock;
  AgentRegistry registry(clock);
  registry.CatalogReported(Id("a"), Instance("one"));
  EXPECT_FALSE(registry.Report(Id("a"), Status("one", 1)).catalog_wanted);
}

TEST(AgentRegistryTest, ACatalogOfNobodyKnowsWhomIsWanted) {
  FakeClock clock;
  AgentRegistry registry(clock);
  registry.Restore(Id("a"), Status("one", 7), absl::FromUnixSeconds(5));
  EXPECT_TRUE(registry.Report(Id("a"), Status("one", 7)).catalog_wanted);
  registry.CatalogReported(Id("a"), Instance("one"));
  EXPECT_FALSE(registry.Report(Id("a"), Status("one", 7)).catalog_wanted);
  // By an agent of an earlier version.
  registry.CatalogReported(Id("a"), absl::nullopt);
  EXPECT_TRUE(registry.Report(Id("a"), Status("one", 7)).catalog_wanted);
}

TEST(AgentRegistryTest, AgentsAreListedByIdInPages) {
  FakeClock clock;
  AgentRegistry registry(clock);
  for (const char* id : {"c", "a", "d", "b"}) registry.Seen(Id(id));
  EXPECT_THAT(Ids(registry.List("", 2)), ElementsAre("a", "b"));
  EXPECT_THAT(Ids(registry.List("b", 2)), ElementsAre("c", "d"));
  EXPECT_THAT(Ids(registry.List("bb", 9)), ElementsAre("c", "d"));
  EXPECT_THAT(Ids(registry.List("d", 2)), ElementsAre());
}

TEST(AgentRegistryTest, AnAgentIsFoundOnceItWasHeardOf) {
  FakeClock clock;
  AgentRegistry registry(clock);
  const AgentId id = *AgentId::Parse("lab");
  EXPECT_FALSE(registry.Find(id).has_value());
  registry.Report(id, AgentStatus{.instance = *AgentInstance::Parse("i1")});
  ASSERT_TRUE(registry.Find(id).has_value());
  EXPECT_EQ(registry.Find(id)->last_seen, clock.Now());
}

}  // namespace
}  // namespace autopxe::server
