#include "server/services/encoded_feed.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/types/optional.h"
#include "common/model/mac_address.h"
#include "common/wire/change_wire.h"
#include "common/wire/snapshot_wire.h"
#include "gmock/gmock.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

v1::WatchConfigurationResponse Decode(grpc::ByteBuffer bytes) {
  v1::WatchConfigurationResponse response;
  EXPECT_TRUE(
      grpc::SerializationTraits<v1::WatchConfigurationResponse>::Deserialize(&bytes, &response)
          .ok());
  return response;
}

// A feed whose configuration grows.
class Growing {
 public:
  explicit Growing(size_t ring)
      : feed_(Snapshot::Empty(Revision()), [](RevisionId) { return absl::nullopt; },
              {.changes = ring, .resources = 1'000'000}) {}

  // One revision that adds `hosts` hosts.
  std::shared_ptr<const Change> Add(int hosts) {
    const auto snapshot = feed_.Current();
    auto change = std::make_shared<Change>();
    change->base = snapshot->revision().id;
    change->revision.id = {change->base.number + 1, 7};
    for (int i = 0; i < hosts; ++i) {
      const MacAddress mac = MacAddress::FromNumber(0x525400000000 + static_cast<uint64_t>(++id_));
      change->hosts.push_back(std::make_shared<Host>(Host{.id = HostId{id_},
                                                          .name = NameByMac(mac),
                                                          .macs = {mac},
                                                          .distro = Distro::Menu(),
                                                          .etag = change->revision.id.number}));
    }
    feed_.Publish(change, *Apply(*snapshot, *change));
    return change;
  }

  Feed& feed() { return feed_; }

 private:
  Feed feed_;
  int64_t id_ = 0;
};

TEST(EncodedFeedTest, AChangeIsEncodedOnceHoweverManyAskForIt) {
  Growing growing(100);
  EncodedFeed encoded(growing.feed());
  const auto change = growing.Add(3);
  const auto bytes = encoded.EncodeChange(change);
  ASSERT_NE(bytes, nullptr);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(encoded.EncodeChange(change), bytes);
  EXPECT_EQ(encoded.encoded_changes(), 1u);
  const auto decoded = Decode(*bytes);
  ASSERT_TRUE(decoded.has_change());
  EXPECT_EQ(decoded.change().SerializeAsString(), ToProto(*change).SerializeAsString());
}

TEST(EncodedFeedTest, AChangeTooLargeForAMessageIsNotEncoded) {
  Growing growing(100);
  EncodedFeed encoded(growing.feed());
  EXPECT_EQ(encoded.EncodeChange(growing.Add(50'000)), nullptr);
  EXPECT_NE(encoded.EncodeChange(growing.Add(1)), nullptr);
  EXPECT_GT(encoded.EncodeSnapshot(0)->parts.size(), 1u);
  for (const grpc::ByteBuffer& part : encoded.EncodeSnapshot(0)->parts) {
    EXPECT_LT(part.Length(), 4u << 20);
  }
}

// faults.md 42: a thousand agents that come back while changes are made.
TEST(EncodedFeedTest, OneSnapshotIsSharedAsLongAsTheChangesAfterItAreThere) {
  Growing growing(/*ring=*/5);
  EncodedFeed encoded(growing.feed());
  growing.Add(1);
  const auto first = encoded.EncodeSnapshot(0);
  for (int i = 0; i < 5; ++i) {
    growing.Add(1);
    EXPECT_EQ(encoded.EncodeSnapshot(0), first);
  }
  EXPECT_EQ(encoded.encoded_snapshots(), 1u);
  growing.Add(1);
  const auto second = encoded.EncodeSnapshot(0);
  EXPECT_EQ(second->revision.number, 7);
  EXPECT_EQ(encoded.EncodeSnapshot(7), second);
  growing.Add(1);
  EXPECT_EQ(encoded.EncodeSnapshot(8)->revision.number, 8);
  EXPECT_EQ(encoded.encoded_snapshots(), 3u);
}

TEST(EncodedFeedTest, ASnapshotIsEncodedAnewOnceTheChangesAfterItAreAnEighthOfTheHosts) {
  Growing growing(/*ring=*/1000);
  EncodedFeed encoded(growing.feed());
  growing.Add(8'000);
  const auto first = encoded.EncodeSnapshot(0);
  growing.Add(999);
  growing.Add(1);
  EXPECT_EQ(encoded.EncodeSnapshot(0), first);
  growing.Add(1);
  EXPECT_EQ(encoded.EncodeSnapshot(0)->revision.number, 4);
  EXPECT_EQ(encoded.encoded_snapshots(), 2u);
}

TEST(EncodedFeedTest, AFewChangesAfterASmallSnapshotAreNoReasonToEncodeItAnew) {
  Growing growing(/*ring=*/1000);
  EncodedFeed encoded(growing.feed());
  growing.Add(1);
  const auto first = encoded.EncodeSnapshot(0);
  growing.Add(static_cast<int>(EncodedFeed::kMinBehind));
  EXPECT_EQ(encoded.EncodeSnapshot(0), first);
  growing.Add(1);
  EXPECT_NE(encoded.EncodeSnapshot(0), first);
}

TEST(EncodedFeedTest, ASnapshotsPartsMakeTheSnapshot) {
  Growing growing(5);
  EncodedFeed encoded(growing.feed());
  growing.Add(1234);
  SnapshotAssembler assembler;
  absl::optional<std::shared_ptr<const Snapshot>> whole;
  for (const grpc::ByteBuffer& part : encoded.EncodeSnapshot(0)->parts) {
    auto added = assembler.Add(Decode(part).snapshot());
    ASSERT_TRUE(added.ok()) << added.status();
    whole = *added;
  }
  ASSERT_TRUE(whole.has_value());
  EXPECT_EQ((*whole)->revision(), growing.feed().Current()->revision());
  EXPECT_EQ((*whole)->host_count(), 1234u);
}

}  // namespace
}  // namespace autopxe::server
