#include "server/store/change_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "migrations/migrations.h"
#include "server/plan/plan.h"
#include "server/sqlite/temp_folder.h"
#include "server/sqlite/transaction.h"
#include "server/store/configuration_sample.h"
#include "server/store/host_rows.h"
#include "server/store/revision_rows.h"
#include "server/store/schema.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class ChangeRowsTest : public testing::Test {
 protected:
  ChangeRowsTest() : path_(folder_.File("test.db")), snapshot_(Snapshot::Empty(Revision{})) {
    EXPECT_THAT(Database::CreateFile(path_, kApplicationId), IsOk());
    database_ = *Database::Open({.path = path_});
    EXPECT_THAT(UpgradeSchema(*database_, Migrations(), kNow), IsOk());
    Write(SampleSetup());
  }

  // Whether it was accepted and changed something.
  bool Write(const Batch& batch) {
    auto planned = BuildPlan(*snapshot_, catalogs_, batch, *LoadNextHostId(*database_), kNow);
    if (std::holds_alternative<Refusal>(planned)) return false;
    Change change = std::get<Plan>(planned).change;
    if (change.empty()) return false;
    change.revision.id.tag = 0xf000000000000000 + static_cast<uint64_t>(changes_.size());
    change.revision.time = kNow + absl::Microseconds(changes_.size());
    change.revision.user = "alice";
    change.revision.origin = "ipv4:10.0.0.5:40112";
    if (changes_.size() % 2 == 1) change.revision.request_id = absl::StrCat("r", changes_.size());
    auto transaction = Transaction::BeginWrite(*database_);
    EXPECT_THAT(transaction, IsOk());
    EXPECT_THAT(WriteChange(*database_, *snapshot_, change, "digest"), IsOk());
    EXPECT_THAT(transaction->Commit(), IsOk());
    snapshot_ = *autopxe::Apply(*snapshot_, change);
    changes_.push_back(std::move(change));
    return true;
  }

  TempFolder folder_;
  const std::string path_;
  std::unique_ptr<Database> database_;
  const Catalogs catalogs_ = SampleCatalogs();
  std::shared_ptr<const Snapshot> snapshot_;
  std::vector<Change> changes_;
};

TEST_F(ChangeRowsTest, WhatWasWrittenIsReadBackAndSoIsEveryStepToIt) {
  std::mt19937 random(20241122);
  while (changes_.size() < 300) {
    if (!Write(RandomBatch(random)) || changes_.size() % 20 != 0) continue;
    const auto loaded = LoadSnapshot(*database_);
    ASSERT_THAT(loaded, IsOk());
    ASSERT_EQ(Describe(**loaded), Describe(*snapshot_)) << "after " << changes_.size();
  }
  EXPECT_GT(snapshot_->host_count(), 0);
  EXPECT_GT(std::count_if(changes_.begin(), changes_.end(),
                          [](const Change& c) { return !c.deleted_agent_settings.empty(); }),
            5);
  EXPECT_GT(std::count_if(changes_.begin(), changes_.end(),
                          [](const Change& c) { return !c.deleted_declared_distros.empty(); }),
            5);
  for (const size_t start : {1, 7, 150, 298, 299, 300}) {
    const RevisionId since = changes_[start - 1].revision.id;
    const auto loaded = LoadChangesSince(*database_, since, 1000);
    ASSERT_THAT(loaded, IsOk());
    ASSERT_TRUE(loaded->has_value());
    ASSERT_EQ((*loaded)->size(), changes_.size() - start);
    for (size_t i = 0; i < (*loaded)->size(); ++i) {
      EXPECT_EQ(Describe((**loaded)[i]), Describe(changes_[start + i]));
    }
  }
}

TEST_F(ChangeRowsTest, AnAgentsSettingsEndWithTheirVariablesAndLeaveThoseOfOthers) {
  const VariableName name = *VariableName::Parse("nfs-server");
  for (const char* agent : {"rack1", "rack2"}) {
    UpdateAgentSettings update = SampleAgentUpdate(agent);
    update.set_variables = {{name, *VariableValue::Parse(agent)}};
    update.rootfs_path_prefix.emplace(*RootfsPathPrefix::Parse("/export"));
    ASSERT_TRUE(Write(BatchOf({update})));
  }
  UpdateAgentSettings unset = SampleAgentUpdate("rack1");
  unset.unset_variables = {name};
  unset.rootfs_path_prefix.emplace();
  ASSERT_TRUE(Write(BatchOf({unset})));
  EXPECT_EQ(changes_.back().deleted_agent_settings.size(), 1u);
  UpdateAgentSettings again = SampleAgentUpdate("rack1");
  again.set_variables = {{*VariableName::Parse("other"), *VariableValue::Parse("x")}};
  ASSERT_TRUE(Write(BatchOf({again})));

  const auto loaded = LoadSnapshot(*database_);
  ASSERT_THAT(loaded, IsOk());
  EXPECT_EQ(Describe(**loaded), Describe(*snapshot_));
  EXPECT_EQ((*loaded)->settings().variables.at(name).text(), "172.25.2.11");
  EXPECT_EQ((*loaded)->FindAgentSettings(*AgentId::Parse("rack1"))->variables.count(name), 0u);
  EXPECT_EQ((*loaded)->FindAgentSettings(*AgentId::Parse("rack2"))->variables.at(name).text(),
            "rack2");
  const auto told = LoadChangesSince(*database_, changes_[0].revision.id, 100);
  ASSERT_THAT(told, IsOk());
  ASSERT_TRUE(told->has_value());
  ASSERT_EQ((*told)->size(), 4u);
  for (size_t i = 0; i < 4; ++i) EXPECT_EQ(Describe((**told)[i]), Describe(changes_[i + 1]));
}

TEST_F(ChangeRowsTest, InitrdsComeBackInTheOrderInWhichTheKernelGetsThem) {
  DeclareDistro declare = SampleDeclare("installer", "installer/linux");
  auto& kernel = std::get<DeclaredKernel>(declare.distro.boot);
  for (const char* initrd : {"z", "http://boot.example/a", "z", "b"}) {
    kernel.initrds.push_back(*BootFile::Parse(initrd));
  }
  ASSERT_TRUE(Write(BatchOf({declare})));
  const auto loaded = LoadSnapshot(*database_);
  ASSERT_THAT(loaded, IsOk());
  declare.distro.etag = snapshot_->revision().id.number;
  EXPECT_EQ(*(*loaded)->FindDeclaredDistro(declare.distro.name), declare.distro);
}

TEST_F(ChangeRowsTest, ChangesOfAPastThatIsNotThisOneAreNotTold) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(Write(BatchOf({SampleAssign(i, "local")})));
  const auto tells = [&](const RevisionId& since, size_t at_most) {
    const auto loaded = LoadChangesSince(*database_, since, at_most);
    EXPECT_THAT(loaded, IsOk());
    return loaded.ok() && loaded->has_value();
  };
  const RevisionId third = changes_[2].revision.id;
  EXPECT_TRUE(tells(third, 3));
  EXPECT_FALSE(tells(third, 2)) << "too many";
  EXPECT_FALSE(tells({.number = third.number, .tag = third.tag + 1}, 100)) << "another tag";
  EXPECT_FALSE(tells({.number = 7, .tag = third.tag}, 100)) << "the future";
  EXPECT_FALSE(tells({}, 100)) << "nothing";
  ASSERT_THAT(database_->Execute("UPDATE history SET trimmed_to = 4"), IsOk());
  EXPECT_FALSE(tells(third, 100)) << "trimmed";
  EXPECT_TRUE(tells(changes_[3].revision.id, 100)) << "just not trimmed";
}

// faults.md, case 40.
TEST_F(ChangeRowsTest, ADeletionIsSeenWhereverTheHistoryWasTrimmedAndWhereverAWatchResumes) {
  std::vector<std::shared_ptr<const Snapshot>> snapshots;  // Of each revision.
  const auto write = [&](Mutation mutation) {
    ASSERT_TRUE(Write(BatchOf({std::move(mutation)})));
    snapshots.push_back(snapshot_);
  };
  snapshots.push_back(snapshot_);
  write(SampleAssign(1, "local"));
  write(SampleAssign(2, "local"));
  write(DeleteHost{SampleMac(1)});
  write(SampleAssign(2, "wait"));
  write(SampleAssign(3, "local"));
  int told = 0;
  for (size_t trimmed_to = 0; trimmed_to <= snapshots.size(); ++trimmed_to) {
    std::string trim = absl::StrCat("UPDATE history SET trimmed_to = ", trimmed_to, ";");
    for (const char* table : {"host", "host_mac", "assignment", "profile", "setting", "variable"}) {
      absl::StrAppend(&trim, "DELETE FROM ", table, " WHERE valid_to <= ", trimmed_to, ";");
    }
    ASSERT_THAT(database_->Execute(trim), IsOk());
    for (const auto& snapshot : snapshots) {
      const RevisionId since = snapshot->revision().id;
      const auto loaded = LoadChangesSince(*database_, since, 1000);
      ASSERT_THAT(loaded, IsOk());
      ASSERT_EQ(loaded->has_value(), since.number >= static_cast<int64_t>(trimmed_to));
      if (!loaded->has_value()) continue;  // It gets a snapshot.
      std::shared_ptr<const Snapshot> followed = snapshot;
      for (const Change& change : **loaded) followed = *autopxe::Apply(*followed, change);
      EXPECT_EQ(Describe(*followed), Describe(*snapshot_)) << since.Format() << " " << trimmed_to;
      ++told;
    }
  }
  EXPECT_GT(told, 20);
  EXPECT_EQ(Describe(**LoadSnapshot(*database_)), Describe(*snapshot_));
}

TEST_F(ChangeRowsTest, HostIdsAreNeverUsedAgain) {
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "local"), SampleAssign(2, "local")})));
  ASSERT_TRUE(Write(BatchOf({DeleteHost{SampleMac(1)}, DeleteHost{SampleMac(2)}})));
  EXPECT_THAT(LoadNextHostId(*database_), IsOkAndHolds(HostId{3}));
  // Not even when the past has been trimmed.
  ASSERT_THAT(database_->Execute("DELETE FROM host; DELETE FROM host_mac; DELETE FROM assignment;"
                                 "DELETE FROM host_identity"),
              IsOk());
  EXPECT_THAT(LoadNextHostId(*database_), IsOkAndHolds(HostId{3}));
}

TEST_F(ChangeRowsTest, ANameAndAMacGoFromOneHostToAnotherInOneChange) {
  const HostName name = *HostName::Parse("web01");
  ASSERT_TRUE(Write(BatchOf({CreateHost{name, {SampleMac(1)}}})));
  ASSERT_TRUE(Write(BatchOf({DeleteHost{name}, CreateHost{name, {SampleMac(1), SampleMac(2)}}})));
  EXPECT_EQ(Describe(**LoadSnapshot(*database_)), Describe(*snapshot_));
}

TEST_F(ChangeRowsTest, TheDatabaseItselfRefusesAConfigurationThatCantBe) {
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "local"), SampleAssign(2, "local")})));
  UpdateAgentSettings update = SampleAgentUpdate("rack1");
  update.default_distro.emplace(Distro::Wait());
  ASSERT_TRUE(Write(BatchOf({update})));
  for (const char* sql : {
           "UPDATE host SET name = '52:54:00:00:00:01' WHERE id = 2",
           "UPDATE host_mac SET mac = '52:54:00:00:00:01' WHERE host_id = 2",
           "INSERT INTO assignment VALUES (1, 'wait', 1, NULL)",
           "INSERT INTO host (id, name, valid_from) VALUES (9, 'nobody', 1)",
           "INSERT INTO host_mac VALUES (1, '52:54:00:00:00:09', 77, NULL)",
           "UPDATE host SET valid_to = valid_from WHERE id = 1",
           "DELETE FROM revision WHERE number = 2",
           "INSERT INTO setting (menu_timeout_s, valid_from) VALUES (10, 2)",
           "INSERT INTO agent_setting (agent_id, valid_from) VALUES ('rack1', 2)",
           "INSERT INTO declared_distro (name, architecture, valid_from) VALUES ('a', '', 1)",
           "INSERT INTO declared_distro (name, kernel, architecture, valid_from) "
           "VALUES ('a', 'b', '', 1)",
           "INSERT INTO declared_distro (name, kernel, initrds, arguments, chain, architecture, "
           "valid_from) VALUES ('a', 'b', '', '', 'c', '', 1)",
           "INSERT INTO declared_distro (name, chain, architecture, valid_from) "
           "VALUES ('a', 'b', '', 1), ('a', 'b', '', 2)",
       }) {
    EXPECT_THAT(database_->Execute(sql), StatusIs(absl::StatusCode::kAlreadyExists)) << sql;
  }
}

TEST_F(ChangeRowsTest, ARowThatIsNoValueIsDataLossThatNamesItsTable) {
  UpdateSettings update;
  update.default_distro.emplace(Distro::Wait());
  UpdateAgentSettings agent_update = SampleAgentUpdate("rack1");
  agent_update.default_distro.emplace(Distro::Wait());
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "local"), update, agent_update,
                             SampleDeclare("installer", "installer/linux")})));
  ASSERT_TRUE(Write(BatchOf({DeclareDistro{
      {*DistroName::Parse("netboot"), DeclaredChain{*BootFile::Parse("http://x/")}}}})));
  const struct {
    const char* sql;
    const char* table;
  } cases[] = {
      {"UPDATE host SET name = 'a b'", "table host: "},
      {"UPDATE host_mac SET mac = 'x2:54:00:00:00:01'", "table host_mac: "},
      {"UPDATE assignment SET distro = '/'", "table assignment: "},
      {"UPDATE profile SET name = '${'", "table profile: "},
      {"UPDATE profile SET command_line = char(10)", "table profile: "},
      {"UPDATE declared_distro SET name = 'menu' WHERE chain IS NULL", "table declared_distro: "},
      {"UPDATE declared_distro SET kernel = '/etc' WHERE chain IS NULL", "table declared_distro: "},
      {"UPDATE declared_distro SET initrds = 'a' || char(10) || '..' WHERE chain IS NULL",
       "table declared_distro: "},
      {"UPDATE declared_distro SET arguments = '${' WHERE chain IS NULL",
       "table declared_distro: "},
      {"UPDATE declared_distro SET chain = '' WHERE chain IS NOT NULL", "table declared_distro: "},
      {"UPDATE declared_distro SET architecture = 'sparc'", "table declared_distro: "},
      {"UPDATE variable SET name = ''", "table variable: "},
      {"UPDATE variable SET value = '${x}'", "table variable: "},
      {"UPDATE setting SET default_distro = '/'", "table setting: "},
      {"UPDATE setting SET unknown_hosts = '/'", "table setting: "},
      {"UPDATE setting SET rootfs_path_prefix = '..'", "table setting: "},
      {"UPDATE agent_setting SET agent_id = '/'", "table agent_setting: "},
      {"UPDATE agent_setting SET default_distro = '/'", "table agent_setting: "},
      {"UPDATE agent_setting SET rootfs_path_prefix = '..'", "table agent_setting: "},
      {"DELETE FROM host_mac", "table host: "},
  };
  database_.reset();
  for (const auto& c : cases) {
    const std::string copy = folder_.File("copy.db");
    std::filesystem::copy_file(path_, copy, std::filesystem::copy_options::overwrite_existing);
    std::unique_ptr<Database> damaged = *Database::Open({.path = copy});
    ASSERT_THAT(damaged->Execute(c.sql), IsOk());
    EXPECT_THAT(LoadSnapshot(*damaged), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(c.table)))
        << c.sql;
  }
}

TEST_F(ChangeRowsTest, ARequestIdIsFoundWithWhatItWasUsedFor) {
  ASSERT_TRUE(Write(BatchOf({SampleAssign(1, "local")})));  // "r1"
  const auto used = FindRequestId(*database_, "r1");
  ASSERT_THAT(used, IsOk());
  ASSERT_TRUE(used->has_value());
  EXPECT_EQ((*used)->revision, snapshot_->revision());
  EXPECT_EQ((*used)->request_digest, "digest");
  const auto unused = FindRequestId(*database_, "r2");
  ASSERT_THAT(unused, IsOk());
  EXPECT_FALSE(unused->has_value());
}

}  // namespace
}  // namespace autopxe::server
