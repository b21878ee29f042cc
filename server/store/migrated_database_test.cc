// A database that an older server made.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/status/status_matchers.h"
#include "migrations/migrations.h"
#include "server/sqlite/database.h"
#include "server/sqlite/temp_folder.h"
#include "server/store/configuration_sample.h"
#include "server/store/schema.h"
#include "server/store/store.h"
#include "server/store/write_group.h"

namespace autopxe::server {
namespace {

using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// What a server wrote that had the migrations 1 to 4: two hosts, one of them since renamed, and an
// agent.
constexpr char kRows[] = R"(
  INSERT INTO revision VALUES (1, 11, 1, 'ann', 'ipv4:10.0.0.5:1', NULL, 'd1');
  INSERT INTO revision VALUES (2, 12, 2, 'ann', 'ipv4:10.0.0.5:1', 'r2', 'd2');
  INSERT INTO host_identity (id) VALUES (1), (2);
  INSERT INTO host (id, name, valid_from, valid_to) VALUES
    (1, 'old', 1, 2), (1, 'web01', 2, NULL), (2, '52:54:00:00:00:02', 1, NULL);
  INSERT INTO host_mac (host_id, mac, valid_from) VALUES
    (1, '52:54:00:00:00:01', 1), (2, '52:54:00:00:00:02', 1);
  INSERT INTO assignment (host_id, distro, valid_from) VALUES (1, 'local', 1);
  INSERT INTO profile (name, command_line, valid_from) VALUES ('nfs', 'root=/dev/nfs', 1);
  INSERT INTO variable (scope, scope_key, name, value, valid_from) VALUES
    ('global', '', 'console', 'ttyS0', 1);
  INSERT INTO setting (menu_timeout_s, valid_from) VALUES (7, 1);
  INSERT INTO agent (id, last_seen_us, applied_number, applied_tag, version, instance,
                     start_time_us, http_address, tftp_address)
    VALUES ('lab', 5, 2, 12, '0.3', 'i1', 1, '10.77.1.1:8080', '');
)";

class MigratedDatabaseTest : public testing::Test {
 protected:
  MigratedDatabaseTest() : path_(folder_.File("autopxe.db")) {
    EXPECT_THAT(Database::CreateFile(path_, kApplicationId), IsOk());
    const auto database = *Database::Open({.path = path_});
    EXPECT_THAT(UpgradeSchema(*database, Migrations().subspan(0, 4), kNow), IsOk());
    EXPECT_THAT(database->Execute(kRows), IsOk());
  }

  TempFolder folder_;
  const std::string path_;
};

TEST_F(MigratedDatabaseTest, ItsHostsHaveNothingOfWhatIsNewAndKeepAllElse) {
  const auto store = Store::Open(path_, kNow);
  ASSERT_THAT(store, IsOk());
  const Store::Content content = (*store)->TakeContent();
  const Snapshot& snapshot = *content.snapshot;
  EXPECT_EQ(snapshot.revision().id, (RevisionId{2, 12}));
  EXPECT_EQ(snapshot.host_count(), 2u);
  EXPECT_EQ(content.next_host_id, HostId{3});
  const auto host = snapshot.FindHost(SampleMac(1));
  ASSERT_NE(host, nullptr);
  EXPECT_EQ(*host, (Host{.id = HostId{1},
                         .name = *HostName::Parse("web01"),
                         .macs = {SampleMac(1)},
                         .distro = Distro::Local(),
                         .etag = 2}));
  EXPECT_THAT(snapshot.groups(), IsEmpty());
  EXPECT_THAT(snapshot.declared_distros(), IsEmpty());
  EXPECT_EQ(snapshot.settings().variables.size(), 1u);
  const AgentStatus& status = *content.agents.at(*AgentId::Parse("lab")).status;
  EXPECT_EQ(status.rootfs_folder, "");
  EXPECT_EQ(status.advertise, absl::nullopt);
  EXPECT_THAT(content.next_boot_uses, IsEmpty());
}

TEST_F(MigratedDatabaseTest, ItsHistoryIsReadAndItsHostsAreChangedOn) {
  const auto store = Store::Open(path_, kNow);
  ASSERT_THAT(store, IsOk());
  const Store::Content content = (*store)->TakeContent();
  const Catalogs catalogs;
  WriteGroup group((*store)->writing(), content.snapshot, catalogs, content.next_host_id, kNow);
  WriteRequest request;
  UpdateHost update{.host = SampleMac(1)};
  update.set_labels = {{*LabelKey::Parse("rack"), *LabelValue::Parse("r1")}};
  update.locked = true;
  request.batch = BatchOf({update});
  ASSERT_THAT(group.Take(request), IsOk());
  ASSERT_THAT(group.Commit(), IsOk());
  const auto entry = (*store)->LoadHistory({}, 2);
  ASSERT_THAT(entry, IsOk());
  ASSERT_TRUE(entry->has_value());
  ASSERT_EQ((*entry)->differences.size(), 1u);
  EXPECT_EQ((*entry)->differences[0].before, "old");
  EXPECT_EQ((*(*store)->LoadHistory({}, 3))->differences.size(), 2u);
}

}  // namespace
}  // namespace autopxe::server
