#include "common/wire/settings_wire.h"

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::Settings Good() {
  v1::Settings settings;
  settings.set_default_distro("debian/bookworm/latest/overlayfs");
  (*settings.mutable_variables())["nfs-server"] = "172.25.2.11";
  settings.mutable_menu_timeout()->set_seconds(3);
  settings.set_rootfs_path_prefix("/pxe/rootfs");
  settings.set_unknown_hosts("wait");
  settings.set_etag(3);
  return settings;
}

TEST(SettingsWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Settings settings = random.AnySettings();
    EXPECT_THAT(FromProto(ToProto(settings)), IsOkAndHolds(settings));
  }
  EXPECT_THAT(FromProto(ToProto(Settings())), IsOkAndHolds(Settings()));
}

TEST(SettingsWireTest, AbsentFieldsAreTheDefaults) {
  EXPECT_THAT(FromProto(v1::Settings()), IsOkAndHolds(Settings()));
}

TEST(SettingsWireTest, RefusesEachInvalidFieldByItsName) {
  ASSERT_THAT(FromProto(Good()), IsOk());
  const auto refused = [](const char* error, auto change) {
    v1::Settings settings = Good();
    change(settings);
    EXPECT_THAT(FromProto(settings),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("default_distro: distro \"x/y\"", [](v1::Settings& s) { s.set_default_distro("x/y"); });
  refused("variables: variable name \"a b\"",
          [](v1::Settings& s) { (*s.mutable_variables())["a b"] = "x"; });
  // faults.md 31.
  refused("variables.a: variable value \"${x}\"",
          [](v1::Settings& s) { (*s.mutable_variables())["a"] = "${x}"; });
  refused("variables.a: variable value \"x\\nshell\"",
          [](v1::Settings& s) { (*s.mutable_variables())["a"] = "x\nshell"; });
  refused("menu_timeout: \"0\": expected whole seconds from 1s to 1h",
          [](v1::Settings& s) { s.mutable_menu_timeout()->set_seconds(0); });
  refused("menu_timeout: \"1h1s\"",
          [](v1::Settings& s) { s.mutable_menu_timeout()->set_seconds(3601); });
  refused("menu_timeout: \"3.5s\"",
          [](v1::Settings& s) { s.mutable_menu_timeout()->set_nanos(500000000); });
  refused("menu_timeout: ", [](v1::Settings& s) { s.mutable_menu_timeout()->set_seconds(-3); });
  refused("menu_timeout: ", [](v1::Settings& s) { s.mutable_menu_timeout()->set_nanos(-1); });
  refused("menu_timeout: ",
          [](v1::Settings& s) { s.mutable_menu_timeout()->set_seconds(INT64_MAX); });
  refused("rootfs_path_prefix: rootfs path prefix \"pxe\"",
          [](v1::Settings& s) { s.set_rootfs_path_prefix("pxe"); });
  refused("unknown_hosts: distro \"boot/x\"",
          [](v1::Settings& s) { s.set_unknown_hosts("boot/x"); });
  refused("etag: \"-1\"", [](v1::Settings& s) { s.set_etag(-1); });
}

TEST(SettingsWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(Good(), [](const v1::Settings& settings) { return FromProto(settings); });
}

}  // namespace
}  // namespace autopxe
