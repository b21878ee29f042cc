#include "server/store/agent_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/status_matchers.h"
#include "migrations/migrations.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/schema.h"

namespace autopxe::server {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

class AgentRowsTest : public testing::Test {
 protected:
  AgentRowsTest() {
    const std::string path = folder_.File("test.db");
    EXPECT_THAT(Database::CreateFile(path, kApplicationId), IsOk());
    database_ = *Database::Open({.path = path});
    EXPECT_THAT(UpgradeSchema(*database_, Migrations(), kNow), IsOk());
  }

  TempFolder folder_;
  std::unique_ptr<Database> database_;
  const AgentId lab_ = *AgentId::Parse("lab");
  const AgentId attic_ = *AgentId::Parse("attic");
};

AgentStatus SampleStatus() {
  return {.instance = *AgentInstance::Parse("i1"),
          .applied = {.number = 7, .tag = 0xfedcba9876543210},
          .version = "0.1.0",
          .start_time = kNow - absl::Hours(1),
          .http_address = *IpEndpoint::Parse("10.77.1.1:8080"),
          .tftp_address = absl::nullopt,
          .view_age = absl::Hours(1) + absl::Microseconds(7),
          .problems = {"the snapshot can't be saved", "\"=; 'quoted'"},
          .rootfs_folder = "/srv/rootfs",
          .advertise = *IpAddress::Parse("fd00::1")};
}

Catalog SampleCatalog() {
  Catalog catalog;
  const auto kernel = [](const char* name, const char* version) {
    return CatalogKernel{.name = name,
                         .version = version,
                         .kernel_path = std::string("boot/vmlinuz-") + version,
                         .initrd_path = std::string("boot/initrd.img-") + version,
                         .architecture = Architecture::kX86_64,
                         .kernel_size = 8'222'656,
                         .initrd_size = 5'000'000'000};
  };
  catalog.distros = {
      {.name = "debian",
       .releases = {{.name = "bookworm",
                     .alias_of = "",
                     .kernels = {kernel("latest", "6.1.0-25"), kernel("default", ""),
                                 kernel("6.1.0-25", "6.1.0-25"), kernel("6.1.0-9", "6.1.0-9")}},
                    {.name = "stable", .alias_of = "bookworm", .kernels = {}}}},
      {.name = "openeuler",
       .releases = {{.name = "24.03", .alias_of = "", .kernels = {kernel("latest", "6.6.0")}}}}};
  catalog.loaders = {"ipxe.efi", "undionly.kpxe"};
  catalog.files = {{"debian-12/initrd.gz", 5'000'000'000}, {"debian-12/linux", 8'222'656}};
  return catalog;
}

TEST_F(AgentRowsTest, WhatAnAgentReportedIsReadBack) {
  ASSERT_THAT(WriteAgentStatus(*database_, lab_, SampleStatus(), kNow), IsOk());
  ASSERT_THAT(WriteAgentCatalog(*database_, lab_, SampleCatalog()), IsOk());
  // A catalog before the first status, and one that is empty.
  ASSERT_THAT(WriteAgentCatalog(*database_, attic_, Catalog{}), IsOk());

  const absl::StatusOr<AgentReports> reports = LoadAgentReports(*database_);
  ASSERT_THAT(reports, IsOkAndHolds(SizeIs(2)));
  EXPECT_EQ(reports->at(lab_).status, SampleStatus());
  EXPECT_EQ(reports->at(lab_).last_seen, kNow);
  EXPECT_EQ(*reports->at(lab_).catalog, SampleCatalog());
  EXPECT_EQ(reports->at(attic_).status, absl::nullopt);
  ASSERT_NE(reports->at(attic_).catalog, nullptr);
  EXPECT_EQ(*reports->at(attic_).catalog, Catalog{});
}

TEST_F(AgentRowsTest, ANewReportReplacesTheOldOneAndNobodyElses) {
  for (const AgentId& id : {lab_, attic_}) {
    ASSERT_THAT(WriteAgentStatus(*database_, id, SampleStatus(), kNow), IsOk());
    ASSERT_THAT(WriteAgentCatalog(*database_, id, SampleCatalog()), IsOk());
  }
  AgentStatus status = SampleStatus();
  status.http_address = absl::nullopt;
  status.tftp_address = *IpEndpoint::Parse("[fd00::1]:69");
  status.view_age = absl::nullopt;
  status.problems.clear();
  Catalog catalog = SampleCatalog();
  catalog.distros.pop_back();
  catalog.distros[0].releases[0].kernels.erase(catalog.distros[0].releases[0].kernels.begin());
  catalog.loaders.clear();
  catalog.files.erase(catalog.files.begin());
  ASSERT_THAT(WriteAgentStatus(*database_, lab_, status, kNow + absl::Seconds(30)), IsOk());
  ASSERT_THAT(WriteAgentCatalog(*database_, lab_, catalog), IsOk());

  const AgentReports reports = *LoadAgentReports(*database_);
  EXPECT_EQ(reports.at(lab_).status, status);
  EXPECT_EQ(reports.at(lab_).last_seen, kNow + absl::Seconds(30));
  EXPECT_EQ(*reports.at(lab_).catalog, catalog);
  EXPECT_EQ(reports.at(attic_).status, SampleStatus());
  EXPECT_EQ(*reports.at(attic_).catalog, SampleCatalog());
}

TEST_F(AgentRowsTest, ARepeatedNameInACatalogIsKeptOnce) {
  Catalog catalog = SampleCatalog();
  catalog.loaders = {"ipxe.efi", "ipxe.efi"};
  ASSERT_THAT(WriteAgentCatalog(*database_, lab_, catalog), IsOk());
  EXPECT_THAT(LoadAgentReports(*database_)->at(lab_).catalog->loaders, SizeIs(1));
}

TEST_F(AgentRowsTest, WhatIsDeletedIsGoneAndNobodyElses) {
  for (const AgentId& id : {lab_, attic_}) {
    ASSERT_THAT(WriteAgentStatus(*database_, id, SampleStatus(), kNow), IsOk());
    ASSERT_THAT(WriteAgentCatalog(*database_, id, SampleCatalog()), IsOk());
  }
  ASSERT_THAT(DeleteAgentReport(*database_, lab_), IsOk());
  ASSERT_THAT(DeleteAgentReport(*database_, *AgentId::Parse("nobody")), IsOk());
  const AgentReports reports = *LoadAgentReports(*database_);
  EXPECT_EQ(reports.count(lab_), 0u);
  EXPECT_EQ(reports.at(attic_).status, SampleStatus());
  EXPECT_EQ(*reports.at(attic_).catalog, SampleCatalog());
  EXPECT_THAT(database_->QueryInteger("SELECT COUNT(*) FROM agent_kernel WHERE agent_id = 'lab'"),
              IsOkAndHolds(0));
}

TEST_F(AgentRowsTest, ARowThatIsNoValueIsDataLoss) {
  ASSERT_THAT(WriteAgentStatus(*database_, lab_, SampleStatus(), kNow), IsOk());
  ASSERT_THAT(database_->Execute("UPDATE agent SET http_address = 'nowhere'"), IsOk());
  EXPECT_THAT(LoadAgentReports(*database_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("table agent: ")));
}

TEST_F(AgentRowsTest, WithoutReportsThereAreNone) {
  EXPECT_THAT(LoadAgentReports(*database_), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace autopxe::server
