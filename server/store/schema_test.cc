#include "server/store/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "server/sqlite/temp_folder.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class SchemaTest : public testing::Test {
 protected:
  std::unique_ptr<Database> Create(const std::string& name = "test.db",
                                   int32_t application_id = kApplicationId) {
    const std::string path = folder_.File(name);
    EXPECT_THAT(Database::CreateFile(path, application_id), IsOk());
    return *Database::Open({.path = path});
  }

  TempFolder folder_;
};

TEST_F(SchemaTest, EveryPrefixUpgradesToTheSameSchemaAsAFreshDatabase) {
  std::unique_ptr<Database> fresh = Create("fresh.db");
  ASSERT_THAT(UpgradeSchema(*fresh, Migrations(), kNow), IsOk());
  const std::string expected = *FormatSchema(*fresh);
  EXPECT_THAT(expected, HasSubstr("CREATE TABLE host "));
  for (size_t size = 0; size <= Migrations().size(); ++size) {
    std::unique_ptr<Database> database = Create(absl::StrCat(size, ".db"));
    ASSERT_THAT(UpgradeSchema(*database, Migrations().subspan(0, size), kNow), IsOk()) << size;
    ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk()) << size;
    EXPECT_THAT(FormatSchema(*database), IsOkAndHolds(expected)) << size;
    EXPECT_THAT(database->QueryInteger("SELECT count(*) FROM schema_migration"),
                IsOkAndHolds(static_cast<int64_t>(Migrations().size())));
  }
}

TEST_F(SchemaTest, AnUpgradeKeepsTheRows) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(UpgradeSchema(*database, Migrations().subspan(0, 1), kNow), IsOk());
  ASSERT_THAT(database->Execute("INSERT INTO host_identity (id) VALUES (7)"), IsOk());
  ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
  EXPECT_THAT(database->QueryInteger("SELECT id FROM host_identity"), IsOkAndHolds(7));
}

TEST_F(SchemaTest, ANewerSchemaIsRefusedWithTheRemedy) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
  EXPECT_THAT(UpgradeSchema(*database, Migrations().subspan(0, Migrations().size() - 1), kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("newer"), HasSubstr("_history_indexes"),
                             HasSubstr("start the newer autopxe-server, or restore a backup"))));
}

TEST_F(SchemaTest, AnEditedMigrationIsRefusedWithTheRemedy) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
  std::vector<Migration> edited(Migrations().begin(), Migrations().end());
  edited[0].checksum = "feed";
  EXPECT_THAT(UpgradeSchema(*database, edited, kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("0001_configuration"), HasSubstr("feed"),
                             HasSubstr("restore a backup"))));
}

TEST_F(SchemaTest, TablesAlteredByOtherHandsAreRefusedWithTheRemedy) {
  int number = 0;
  for (const char* edit : {"ALTER TABLE host ADD COLUMN notes TEXT", "DROP INDEX host_current_name",
                           "CREATE TABLE mine (i INTEGER)",
                           "CREATE TRIGGER t AFTER INSERT ON host BEGIN DELETE FROM host; END"}) {
    std::unique_ptr<Database> database = Create(absl::StrCat(++number, ".db"));
    ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
    ASSERT_THAT(database->Execute(edit), IsOk());
    EXPECT_THAT(UpgradeSchema(*database, Migrations(), kNow),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         AllOf(HasSubstr("altered"), HasSubstr("undo that, or restore a backup"))))
        << edit;
  }
}

TEST_F(SchemaTest, WhatSqliteItselfKeepsIsNoEdit) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
  ASSERT_THAT(database->Execute("ANALYZE"), IsOk());
  EXPECT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
}

TEST_F(SchemaTest, AnotherProgramsDatabaseIsRefused) {
  std::unique_ptr<Database> database = Create("other.db", 0x4d504258);
  EXPECT_THAT(UpgradeSchema(*database, Migrations(), kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not one of")));
  // Nor is one with tables that no migration made.
  database = Create("tables.db");
  ASSERT_THAT(database->Execute("CREATE TABLE mine (i INTEGER)"), IsOk());
  EXPECT_THAT(UpgradeSchema(*database, Migrations(), kNow),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("altered")));
}

TEST_F(SchemaTest, AMigrationThatFailsLeavesTheSchemaBeforeIt) {
  std::unique_ptr<Database> database = Create();
  ASSERT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
  const std::string before = *FormatSchema(*database);
  std::vector<Migration> migrations(Migrations().begin(), Migrations().end());
  migrations.push_back({.number = static_cast<int>(migrations.size()) + 1,
                        .name = "broken",
                        .sql = "CREATE TABLE extra (i INTEGER); CREATE TABLE host (i INTEGER)",
                        .checksum = "0"});
  EXPECT_THAT(UpgradeSchema(*database, migrations, kNow),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("host")));
  EXPECT_THAT(FormatSchema(*database), IsOkAndHolds(before));
  EXPECT_THAT(UpgradeSchema(*database, Migrations(), kNow), IsOk());
}

}  // namespace
}  // namespace autopxe::server
