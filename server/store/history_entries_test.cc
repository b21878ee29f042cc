#include "server/store/history_entries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"
#include "server/store/configuration_sample.h"
#include "server/store/history_rows.h"
#include "server/store/store.h"
#include "server/store/write_group.h"

namespace autopxe::server {

void PrintTo(const Difference& d, std::ostream* os) {
  *os << d.kind << " " << d.name << " " << d.field << ": " << d.before.value_or("(none)") << " -> "
      << d.after.value_or("(none)");
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Kind = HistoryFilter::Kind;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
constexpr int64_t kNewest = std::numeric_limits<int64_t>::max();

class HistoryEntriesTest : public testing::Test {
 protected:
  HistoryEntriesTest() : store_(*Store::Open(folder_.File("autopxe.db"), kNow)) {
    Store::Content content = store_->TakeContent();
    snapshot_ = content.snapshot;
    next_host_id_ = content.next_host_id;
    Write(SampleSetup());
  }

  // Whether it was accepted and changed something.
  bool Write(Batch batch) {
    WriteGroup group(store_->writing(), snapshot_, catalogs_, next_host_id_, kNow);
    WriteRequest request;
    request.user = "alice";
    request.batch = std::move(batch);
    const auto outcome = group.Take(request);
    EXPECT_THAT(outcome, IsOk());
    EXPECT_THAT(group.Commit(), IsOk());
    if (group.steps().empty()) return false;
    const auto before = snapshot_;
    snapshot_ = group.steps().back().snapshot;
    next_host_id_ = group.next_host_id();
    expected_[snapshot_->revision().id.number] = Compare(*before, *group.steps().back().change);
    return true;
  }

  std::vector<int64_t> Find(const HistoryFilter& filter, int64_t before = kNewest,
                            size_t at_most = 1'000'000) {
    const auto found = store_->FindHistory(filter, before, at_most);
    EXPECT_THAT(found, IsOk());
    trimmed_ = found->trimmed;
    return found->numbers;
  }

  std::vector<Difference> Load(const HistoryFilter& filter, int64_t number) {
    const auto entry = store_->LoadHistory(filter, number);
    EXPECT_THAT(entry, IsOk());
    if (!entry->has_value()) {
      ADD_FAILURE() << "nothing at " << number;
      return {};
    }
    EXPECT_EQ((*entry)->revision.id.number, number);
    EXPECT_EQ((*entry)->revision.user, "alice");
    return (*entry)->differences;
  }

  void Trim(int64_t horizon) {
    auto transaction = Transaction::BeginWrite(store_->writing());
    EXPECT_THAT(store_->writing().Run("UPDATE history SET trimmed_to = ?1", horizon), IsOk());
    EXPECT_THAT(DeleteEndedRows(store_->writing(), 1'000'000), IsOk());
    EXPECT_THAT(transaction->Commit(), IsOk());
  }

  TempFolder folder_;
  const Catalogs catalogs_ = SampleCatalogs();
  std::unique_ptr<Store> store_;
  std::shared_ptr<const Snapshot> snapshot_;
  HostId next_host_id_{1};
  std::map<int64_t, std::vector<Difference>> expected_;  // What the plan said, by revision.
  bool trimmed_ = false;
};

TEST_F(HistoryEntriesTest, EveryRevisionChangedWhatThePlanSaidThen) {
  std::mt19937 random(20261129);
  for (int i = 0; i < 300; ++i) Write(RandomBatch(random));
  const std::vector<int64_t> all = Find({});
  ASSERT_EQ(all.size(), expected_.size());
  EXPECT_FALSE(trimmed_);
  for (const int64_t number : all) EXPECT_EQ(Load({}, number), expected_.at(number)) << number;

  // And each kind what of that is its own, in the revisions that have such.
  const std::map<Kind, std::string> kinds = {
      {Kind::kHost, "host"},     {Kind::kGroup, "group"},       {Kind::kProfile, "profile"},
      {Kind::kDistro, "distro"}, {Kind::kSettings, "settings"}, {Kind::kAgent, "agent"}};
  for (const auto& [kind, word] : kinds) {
    std::map<int64_t, std::vector<Difference>> expected;
    for (const auto& [number, differences] : expected_) {
      for (const Difference& difference : differences) {
        if (difference.kind == word) expected[number].push_back(difference);
      }
    }
    // A change may have no difference: a next boot that was taken away and made anew.
    for (const int64_t number : Find({.kind = kind})) expected[number];
    EXPECT_EQ(Find({.kind = kind}).size(), expected.size()) << word;
    for (const auto& [number, differences] : expected) {
      EXPECT_EQ(Load({.kind = kind}, number), differences) << word << " " << number;
    }
  }
}

TEST_F(HistoryEntriesTest, PagesGoDownFromARevision) {
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(Write(BatchOf({SampleAssign(i, "local")})));
  EXPECT_THAT(Find({}, kNewest, 2), ElementsAre(5, 4));
  EXPECT_THAT(Find({}, 4, 2), ElementsAre(3, 2));
  EXPECT_THAT(Find({}, 2, 2), ElementsAre(1));
}

TEST_F(HistoryEntriesTest, OneHostIsFoundByItsMacAndByAllItsNames) {
  const auto named = [](const char* name) { return *HostName::Parse(name); };
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "local"), SampleAssign(2, "local")})));      // 2
  ASSERT_TRUE(Write(BatchOf({UpdateHost{.host = SampleMac(1), .name = named("old")}})));  // 3
  ASSERT_TRUE(Write(BatchOf({UpdateHost{.host = named("old"), .name = named("new")}})));  // 4
  ASSERT_TRUE(Write(BatchOf({SampleAssign(2, "menu")})));                                 // 5
  ASSERT_TRUE(Write(BatchOf({DeleteHost{named("new")}})));                                // 6
  for (const HostReference& reference :
       {HostReference(SampleMac(1)), HostReference(named("old")), HostReference(named("new"))}) {
    const HistoryFilter filter{.kind = Kind::kHost, .host = reference};
    EXPECT_THAT(Find(filter), ElementsAre(6, 4, 3, 2)) << FormatHostReference(reference);
    EXPECT_THAT(Load(filter, 4), ElementsAre(Difference{"host", "new", "name", "old", "new"}));
    for (const Difference& difference : Load(filter, 2)) {
      EXPECT_EQ(difference.name, SampleMac(1).Format());
    }
  }
  EXPECT_THAT(Find({.kind = Kind::kHost, .host = HostReference(named("nobody"))}), IsEmpty());
}

TEST_F(HistoryEntriesTest, OneHostIsFoundByIndexes) {
  for (const char* select : {"SELECT host_id FROM host_mac WHERE mac = 'x' AND valid_to IS ",
                             "SELECT id FROM host WHERE name = 'x' AND valid_to IS "}) {
    for (const char* part : {"NULL", "NOT NULL"}) {
      auto rows = store_->writing().Query(absl::StrCat("EXPLAIN QUERY PLAN ", select, part));
      ASSERT_THAT(rows, IsOk());
      while (*rows->Next()) {
        EXPECT_THAT(std::string(rows->Text(3)), testing::StartsWith("SEARCH")) << select << part;
      }
    }
  }
}

TEST_F(HistoryEntriesTest, TheHistoryIsReadOnAfterTheDatabaseWasReopened) {
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "local")})));
  EXPECT_THAT(Find({}), ElementsAre(2, 1));
  ASSERT_THAT(store_->Reopen(), IsOk());
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "menu")})));
  EXPECT_THAT(Find({}), ElementsAre(3, 2, 1));
}

TEST_F(HistoryEntriesTest, WhatIsSetToNothingIsNotWhatIsUnset) {
  UpdateSettings empty;
  empty.set_variables = {{*VariableName::Parse("rack"), *VariableValue::Parse("")}};
  ASSERT_TRUE(Write(BatchOf({empty})));  // 2
  UpdateSettings gone;
  gone.unset_variables = {*VariableName::Parse("rack")};
  ASSERT_TRUE(Write(BatchOf({gone})));  // 3
  EXPECT_THAT(Load({}, 2), ElementsAre(Difference{"settings", "", "variables.rack", {}, ""}));
  EXPECT_THAT(Load({}, 3), ElementsAre(Difference{"settings", "", "variables.rack", "", {}}));
}

TEST_F(HistoryEntriesTest, OneProfileIsFoundByItsName) {
  ASSERT_TRUE(Write(
      BatchOf({SetProfile{*ProfileName::Parse("other"), *CommandLineTemplate::Parse("quiet")}})));
  EXPECT_THAT(Find({.kind = Kind::kProfile, .name = "other"}), ElementsAre(2));
  EXPECT_THAT(Find({.kind = Kind::kProfile, .name = "overlayfs"}), ElementsAre(1));
  EXPECT_THAT(Load({.kind = Kind::kProfile, .name = "other"}, 2),
              ElementsAre(Difference{"profile", "other", "command_line", {}, "quiet"}));
}

TEST_F(HistoryEntriesTest, OneDeclaredDistroIsFoundByItsName) {
  ASSERT_TRUE(Write(BatchOf({SampleDeclare("memtest", "a"), SampleDeclare("other", "a")})));
  ASSERT_TRUE(Write(BatchOf({SampleDeclare("other", "b")})));
  ASSERT_TRUE(Write(BatchOf({SampleDeclare("memtest", "b")})));
  ASSERT_TRUE(Write(BatchOf({DeleteDeclaredDistro{*DistroName::Parse("memtest")}})));
  const HistoryFilter filter{.kind = Kind::kDistro, .name = "memtest"};
  EXPECT_THAT(Find(filter), ElementsAre(5, 4, 2));
  EXPECT_THAT(Load(filter, 4), ElementsAre(Difference{"distro", "memtest", "kernel", "a", "b"}));
  EXPECT_THAT(Load(filter, 5), ElementsAre(Difference{"distro", "memtest", "kernel", "b", {}}));
  EXPECT_THAT(Find({.kind = Kind::kDistro, .name = "nobody"}), IsEmpty());
}

TEST_F(HistoryEntriesTest, WhatWasTrimmedIsSaidToBeGone) {
  for (const char* distro : {"local", "menu", "wait"}) {
    ASSERT_TRUE(Write(BatchOf({SampleAssign(1, distro)})));  // 2, 3, 4
  }
  ASSERT_TRUE(Write(BatchOf({SampleAssign(2, "local")})));  // 5
  Trim(3);
  EXPECT_THAT(Find({}), ElementsAre(5, 4));
  EXPECT_TRUE(trimmed_);
  EXPECT_THAT(Load({}, 4),
              ElementsAre(Difference{"host", SampleMac(1).Format(), "distro", "menu", "wait"}));
  EXPECT_FALSE(store_->LoadHistory({}, 3)->has_value());
  EXPECT_THAT(Find({.kind = Kind::kHost, .host = HostReference(SampleMac(1))}), ElementsAre(4));
  EXPECT_TRUE(trimmed_);
  // All that it ever was is still there.
  EXPECT_THAT(Find({.kind = Kind::kHost, .host = HostReference(SampleMac(2))}), ElementsAre(5));
  EXPECT_FALSE(trimmed_);
}

}  // namespace
}  // namespace autopxe::server
