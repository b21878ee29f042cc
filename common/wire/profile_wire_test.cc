#include "common/wire/profile_wire.h"

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::Profile Good() {
  v1::Profile profile;
  profile.set_name("overlayfs");
  profile.set_command_line("nfsroot=${nfs-server}:${rootfs-path} rw");
  profile.set_etag(3);
  return profile;
}

TEST(ProfileWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Profile profile = random.AnyProfile();
    EXPECT_THAT(FromProto(ToProto(profile)), IsOkAndHolds(profile));
  }
}

TEST(ProfileWireTest, RefusesEachInvalidFieldByItsName) {
  ASSERT_THAT(FromProto(Good()), IsOk());
  const auto refused = [](const char* error, auto change) {
    v1::Profile profile = Good();
    change(profile);
    EXPECT_THAT(FromProto(profile), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("name: profile name \"\"", [](v1::Profile& p) { p.clear_name(); });
  refused("name: profile name \"a/b\"", [](v1::Profile& p) { p.set_name("a/b"); });
  refused("command_line: command line \"${\"", [](v1::Profile& p) { p.set_command_line("${"); });
  // faults.md 31.
  refused("command_line: command line \"a\\nshell\"",
          [](v1::Profile& p) { p.set_command_line("a\nshell"); });
  refused("etag: \"-1\"", [](v1::Profile& p) { p.set_etag(-1); });
}

TEST(ProfileWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(Good(), [](const v1::Profile& profile) { return FromProto(profile); });
}

}  // namespace
}  // namespace autopxe
