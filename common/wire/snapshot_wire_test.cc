#include "common/wire/snapshot_wire.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

void ExpectSame(const Snapshot& a, const Snapshot& b) {
  EXPECT_EQ(a.revision(), b.revision());
  EXPECT_EQ(a.settings(), b.settings());
  EXPECT_EQ(a.agent_settings(), b.agent_settings());
  EXPECT_EQ(a.profiles(), b.profiles());
  ASSERT_EQ(a.declared_distros().size(), b.declared_distros().size());
  for (const auto& [name, distro] : a.declared_distros()) {
    ASSERT_NE(b.FindDeclaredDistro(name), nullptr);
    EXPECT_EQ(*distro, *b.FindDeclaredDistro(name));
  }
  const auto a_hosts = a.HostsByName();
  const auto b_hosts = b.HostsByName();
  ASSERT_EQ(a_hosts.size(), b_hosts.size());
  for (size_t i = 0; i < a_hosts.size(); ++i) EXPECT_EQ(*a_hosts[i], *b_hosts[i]);
}

// Adds the parts, of which all but the last must leave the snapshot incomplete.
absl::StatusOr<std::shared_ptr<const Snapshot>> Assemble(
    SnapshotAssembler& assembler, const std::vector<v1::SnapshotPart>& parts) {
  absl::optional<std::shared_ptr<const Snapshot>> whole;
  for (const v1::SnapshotPart& part : parts) {
    EXPECT_FALSE(whole.has_value());
    auto result = assembler.Add(part);
    if (!result.ok()) return result.status();
    whole = *std::move(result);
  }
  if (!whole.has_value()) return absl::UnknownError("incomplete");
  return *whole;
}

TEST(SnapshotWireTest, SnapshotsComeBackFromTheirParts) {
  RandomValues random(1);
  SnapshotAssembler assembler;
  for (const size_t hosts : {0, 1, 9, 10, 11, 20, 137}) {
    const std::shared_ptr<const Snapshot> snapshot = random.AnySnapshot(hosts);
    const std::vector<v1::SnapshotPart> parts = ToProto(*snapshot, 10);
    EXPECT_THAT(parts, SizeIs(hosts == 0 ? 1 : (hosts + 9) / 10));
    for (size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].first(), i == 0);
      EXPECT_EQ(parts[i].last(), i + 1 == parts.size());
      EXPECT_LE(parts[i].hosts_size(), 10);
    }
    const absl::StatusOr<std::shared_ptr<const Snapshot>> back = Assemble(assembler, parts);
    ASSERT_THAT(back, IsOk());
    ExpectSame(**back, *snapshot);
  }
}

TEST(SnapshotWireTest, HostsMayBeDecodedApartFromTheirPart) {
  const std::shared_ptr<const Snapshot> snapshot = RandomValues(3).AnySnapshot(25);
  SnapshotAssembler assembler;
  absl::optional<std::shared_ptr<const Snapshot>> whole;
  ForEachPart(
      *snapshot,
      [&](v1::SnapshotPart& part) {
        auto hosts = HostsFromProto(part);
        part.clear_hosts();
        auto added = assembler.Add(part, std::move(hosts));
        ASSERT_THAT(added, IsOk());
        whole = *added;
      },
      10);
  ASSERT_TRUE(whole.has_value());
  ExpectSame(**whole, *snapshot);

  std::vector<v1::SnapshotPart> parts = ToProto(*snapshot, 10);
  ASSERT_THAT(assembler.Add(parts[0]), IsOk());
  parts[1].mutable_hosts(3)->set_name("A");
  EXPECT_THAT(assembler.Add(parts[1], HostsFromProto(parts[1])),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hosts[3].name: ")));
  EXPECT_THAT(assembler.Add(parts[2]),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no first part")));
}

TEST(SnapshotWireTest, OneSnapshotIsAlwaysTheSameParts) {
  const std::shared_ptr<const Snapshot> snapshot = RandomValues(2).AnySnapshot(30);
  const std::vector<v1::SnapshotPart> parts = ToProto(*snapshot, 30);
  ASSERT_THAT(parts, SizeIs(1));
  for (int i = 1; i < parts[0].hosts_size(); ++i) {
    EXPECT_LT(parts[0].hosts(i - 1).name(), parts[0].hosts(i).name());
  }
}

TEST(SnapshotWireTest, NoPartIsTooLargeForAMessage) {
  // The largest hosts that there can be.
  std::vector<std::shared_ptr<const Host>> hosts;
  const std::string part(128, 'd');
  const Distro distro = Distro::Parse(absl::StrCat(part, "/", part, "/", part, "/", part)).value();
  const std::string label(60, 'h');
  for (uint64_t id = 1; id <= 1000; ++id) {
    std::vector<MacAddress> macs;
    for (uint64_t i = 0; i < kMaxMacsPerHost; ++i) {
      macs.push_back(MacAddress::FromNumber(0x020000000000 + id * kMaxMacsPerHost + i));
    }
    const std::string name = absl::StrCat(label, ".", label, ".", label, ".h", id);
    hosts.push_back(std::make_shared<const Host>(Host{.id = HostId{static_cast<int64_t>(id)},
                                                      .name = HostName::Parse(name).value(),
                                                      .macs = macs,
                                                      .distro = distro,
                                                      .etag = 1}));
  }
  const auto snapshot = Snapshot::Create(Revision(), Settings(), {}, hosts).value();
  const std::vector<v1::SnapshotPart> parts = ToProto(*snapshot, 1000);
  EXPECT_GT(parts.size(), 1u);
  for (const v1::SnapshotPart& p : parts) EXPECT_LT(p.ByteSizeLong(), 2u << 20);
  SnapshotAssembler assembler;
  EXPECT_THAT(Assemble(assembler, parts), IsOk());
}

TEST(SnapshotAssemblerTest, AFirstPartDropsWhatWasGatheredBefore) {
  RandomValues random(3);
  SnapshotAssembler assembler;
  const auto left_off = random.AnySnapshot(25);
  ASSERT_THAT(assembler.Add(ToProto(*left_off, 10)[0]), IsOk());
  const auto snapshot = random.AnySnapshot(25);
  const auto back = Assemble(assembler, ToProto(*snapshot, 10));
  ASSERT_THAT(back, IsOk());
  ExpectSame(**back, *snapshot);
}

TEST(SnapshotAssemblerTest, RefusesPartsThatDoNotBelongTogetherAndRecovers) {
  RandomValues random(4);
  const auto snapshot = random.AnySnapshot(25);
  const std::vector<v1::SnapshotPart> parts = ToProto(*snapshot, 10);
  ASSERT_THAT(parts, SizeIs(3));
  v1::SnapshotPart other_revision = parts[1];
  other_revision.mutable_revision()->mutable_id()->set_tag(4711);
  v1::SnapshotPart with_settings = parts[1];
  *with_settings.mutable_settings() = parts[0].settings();
  v1::SnapshotPart with_profile = parts[1];
  with_profile.add_profiles();
  v1::SnapshotPart with_declared_distro = parts[1];
  with_declared_distro.add_declared_distros();
  v1::SnapshotPart with_agent_settings = parts[1];
  with_agent_settings.add_agent_settings();
  v1::SnapshotPart without_revision = parts[1];
  without_revision.clear_revision();
  v1::SnapshotPart without_settings = parts[0];
  without_settings.clear_settings();
  v1::SnapshotPart bad_host = parts[1];
  bad_host.mutable_hosts(3)->set_name("a b");
  v1::SnapshotPart bad_profile = parts[0];
  bad_profile.add_profiles()->set_name("a b");
  v1::SnapshotPart bad_declared_distro = parts[0];
  bad_declared_distro.add_declared_distros()->set_name("wait");
  v1::SnapshotPart bad_agent_settings = parts[0];
  bad_agent_settings.add_agent_settings()->set_agent_id("a b");
  v1::SnapshotPart bad_settings = parts[0];
  bad_settings.mutable_settings()->set_etag(-1);

  const struct {
    std::vector<v1::SnapshotPart> parts;
    const char* error;
  } kCases[] = {
      {{parts[1]}, "revision: "},
      {{parts[2]}, "no first part came before it"},
      {{parts[0], other_revision}, "the parts before it are of "},
      {{parts[0], with_settings}, "settings: "},
      {{parts[0], with_profile}, "profiles: "},
      {{parts[0], with_declared_distro}, "declared_distros: "},
      {{parts[0], with_agent_settings}, "agent_settings: "},
      {{parts[0], without_revision}, "revision: "},
      {{without_settings}, "settings: "},
      {{parts[0], bad_host}, "hosts[3].name: "},
      {{bad_profile}, "].name: profile name \"a b\""},
      {{bad_declared_distro}, "].name: distro name \"wait\""},
      {{bad_agent_settings}, "].agent_id: agent id \"a b\""},
      {{bad_settings}, "settings.etag: "},
      // A part sent twice: its hosts collide.
      {{parts[0], parts[1], parts[1], parts[2]}, "share an id"},
  };
  SnapshotAssembler assembler;
  for (const auto& c : kCases) {
    EXPECT_THAT(Assemble(assembler, c.parts),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)));
    // All was dropped: what would have been next has no first part before it.
    EXPECT_THAT(assembler.Add(parts[2]), StatusIs(absl::StatusCode::kInvalidArgument,
                                                  HasSubstr("no first part came before it")));
    EXPECT_THAT(Assemble(assembler, parts), IsOk());
  }
  // After a last part the next is a first one.
  EXPECT_THAT(assembler.Add(parts[1]), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SnapshotAssemblerTest, DamagedPartsNeverCrash) {
  const std::shared_ptr<const Snapshot> snapshot = RandomValues(5).AnySnapshot(3);
  DamageEverywhere(ToProto(*snapshot, 10)[0],
                   [](const v1::SnapshotPart& part) { return SnapshotAssembler().Add(part); });
}

}  // namespace
}  // namespace autopxe
