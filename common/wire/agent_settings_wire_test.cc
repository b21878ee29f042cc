#include "common/wire/agent_settings_wire.h"

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::AgentSettings Good() {
  v1::AgentSettings settings;
  settings.set_agent_id("rack1");
  settings.set_default_distro("debian/bookworm/latest/overlayfs");
  (*settings.mutable_variables())["nfs-server"] = "10.77.1.1";
  settings.set_rootfs_path_prefix("/pxe/rootfs");
  settings.set_etag(3);
  return settings;
}

TEST(AgentSettingsWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const AgentSettings settings = random.AnyAgentSettings();
    EXPECT_THAT(FromProto(ToProto(settings)), IsOkAndHolds(settings));
  }
}

TEST(AgentSettingsWireTest, RefusesEachInvalidFieldByItsName) {
  ASSERT_THAT(FromProto(Good()), IsOk());
  const auto refused = [](const char* error, auto change) {
    v1::AgentSettings settings = Good();
    change(settings);
    EXPECT_THAT(FromProto(settings),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("agent_id: agent id \"\"", [](v1::AgentSettings& s) { s.clear_agent_id(); });
  refused("agent_id: agent id \"a/b\"", [](v1::AgentSettings& s) { s.set_agent_id("a/b"); });
  refused("default_distro: distro \"x/y\"",
          [](v1::AgentSettings& s) { s.set_default_distro("x/y"); });
  refused("variables: variable name \"a b\"",
          [](v1::AgentSettings& s) { (*s.mutable_variables())["a b"] = "x"; });
  // faults.md 31.
  refused("variables.a: variable value \"x\\nshell\"",
          [](v1::AgentSettings& s) { (*s.mutable_variables())["a"] = "x\nshell"; });
  refused("rootfs_path_prefix: rootfs path prefix \"pxe\"",
          [](v1::AgentSettings& s) { s.set_rootfs_path_prefix("pxe"); });
  refused("etag: \"-1\"", [](v1::AgentSettings& s) { s.set_etag(-1); });
}

TEST(AgentSettingsWireTest, DamagedMessagesNeverCrash) {
  DamageEverywhere(Good(), [](const v1::AgentSettings& settings) { return FromProto(settings); });
}

}  // namespace
}  // namespace autopxe
