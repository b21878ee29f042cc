#include "ctl/settings_key.h"

#include <string>

#include "common/status/status_matchers.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(SettingsKeyTest, EveryKeySetsItsFieldAndNoOther) {
  const struct {
    const char* key;
    const char* value;
    const char* update;
  } kCases[] = {
      {"default-distro", "a/b/c/d", "default_distro: \"a/b/c/d\""},
      {"unknown-hosts", "wait", "unknown_hosts: \"wait\""},
      {"rootfs-path-prefix", "/srv", "rootfs_path_prefix: \"/srv\""},
      {"menu-timeout", "90s", "menu_timeout { seconds: 90 }"},
      {"menu-timeout", "1.5s", "menu_timeout { seconds: 1 nanos: 500000000 }"},
      {"variables.nfs-server", "10.0.0.1",
       "set_variables { key: \"nfs-server\" value: \"10.0.0.1\" }"},
      {"variables.a.b", "", "set_variables { key: \"a.b\" value: \"\" }"},
  };
  for (const auto& c : kCases) {
    const auto update = SetKey(c.key, c.value);
    ASSERT_THAT(update, IsOk()) << c.key;
    EXPECT_EQ(update->ShortDebugString(), c.update);
  }
}

TEST(SettingsKeyTest, UnsettingReturnsToTheDefault) {
  EXPECT_EQ(UnsetKey("default-distro")->ShortDebugString(), "default_distro: \"\"");
  EXPECT_EQ(UnsetKey("unknown-hosts")->ShortDebugString(), "unknown_hosts: \"\"");
  EXPECT_EQ(UnsetKey("rootfs-path-prefix")->ShortDebugString(), "rootfs_path_prefix: \"\"");
  EXPECT_TRUE(UnsetKey("menu-timeout")->has_menu_timeout());
  EXPECT_EQ(UnsetKey("menu-timeout")->menu_timeout().seconds(), 0);
  EXPECT_EQ(UnsetKey("variables.x")->ShortDebugString(), "unset_variables: \"x\"");
}

TEST(SettingsKeyTest, AnUnknownKeyIsAUsageErrorThatNamesTheOthers) {
  for (const char* key :
       {"", "Default-Distro", "variables", "variables.", "default_distro", "x\n"}) {
    for (const auto& result : {SetKey(key, "x"), UnsetKey(key)}) {
      EXPECT_EQ(ExitCodeOf(result.status()), kExitUsage) << key;
      EXPECT_THAT(std::string(result.status().message()),
                  HasSubstr("default-distro, unknown-hosts, menu-timeout, rootfs-path-prefix and "
                            "variables.NAME"));
    }
  }
}

TEST(SettingsKeyTest, AnAgentHasSomeOfTheKeys) {
  const struct {
    const char* key;
    const char* set;
    const char* unset;
  } kCases[] = {
      {"default-distro", "agent_id: \"rack1\" default_distro: \"x\"",
       "agent_id: \"rack1\" default_distro: \"\""},
      {"rootfs-path-prefix", "agent_id: \"rack1\" rootfs_path_prefix: \"x\"",
       "agent_id: \"rack1\" rootfs_path_prefix: \"\""},
      {"variables.a", "agent_id: \"rack1\" set_variables { key: \"a\" value: \"x\" }",
       "agent_id: \"rack1\" unset_variables: \"a\""},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(SetAgentKey("rack1", c.key, "x")->ShortDebugString(), c.set);
    EXPECT_EQ(UnsetAgentKey("rack1", c.key)->ShortDebugString(), c.unset);
  }
  for (const char* key : {"", "variables.", "unknown-hosts", "menu-timeout"}) {
    for (const auto& result : {SetAgentKey("rack1", key, "10s"), UnsetAgentKey("rack1", key)}) {
      EXPECT_EQ(ExitCodeOf(result.status()), kExitUsage) << key;
      EXPECT_THAT(std::string(result.status().message()),
                  HasSubstr("there are default-distro, rootfs-path-prefix and variables.NAME"));
    }
  }
}

TEST(SettingsKeyTest, ATimeThatIsNoneIsAUsageError) {
  for (const char* value : {"", "3", "x", "3 s", "inf", "99999999h", "0", "0s", "-5s", "-0.5s"}) {
    EXPECT_EQ(ExitCodeOf(SetKey("menu-timeout", value).status()), kExitUsage) << value;
  }
}

TEST(SettingsKeyTest, EveryKeyIsShownAndVariablesAreInOrder) {
  v1::Settings settings;
  settings.set_default_distro("local");
  settings.mutable_menu_timeout()->set_seconds(90);
  for (const char* name : {"z", "a", "m"}) (*settings.mutable_variables())[name] = "1";
  EXPECT_THAT(
      SettingsByKey(settings),
      ElementsAre(Pair("default-distro", "local"), Pair("unknown-hosts", ""),
                  Pair("menu-timeout", "1m30s"), Pair("rootfs-path-prefix", ""),
                  Pair("variables.a", "1"), Pair("variables.m", "1"), Pair("variables.z", "1")));

  v1::AgentSettings of_agent;
  of_agent.set_rootfs_path_prefix("/export");
  (*of_agent.mutable_variables())["a"] = "";
  EXPECT_THAT(SettingsByKey(of_agent),
              ElementsAre(Pair("default-distro", ""), Pair("rootfs-path-prefix", "/export"),
                          Pair("variables.a", "")));
}

}  // namespace
}  // namespace autopxe::ctl
