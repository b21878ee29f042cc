#include "common/wire/mutation_wire.h"

#include <string>
#include <variant>

#include "common/model/host.h"
#include "common/model/settings.h"
#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

v1::Mutation MutationOf(const std::string& text) {
  v1::Mutation mutation;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &mutation)) << text;
  return mutation;
}

TEST(MutationWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 2000; ++i) {
    const Mutation mutation = random.AnyMutation();
    EXPECT_THAT(FromProto(ToProto(mutation)), IsOkAndHolds(mutation));
    const ExpectedEtag expected = random.AnyExpectedEtag();
    EXPECT_THAT(FromProto(ToProto(expected)), IsOkAndHolds(expected));
  }
}

// faults.md 32.
TEST(MutationWireTest, EverySpellingOfAMacIsTheSameHost) {
  const Mutation expected = Unassign{MacAddress::FromNumber(0xbc2411b01ade)};
  for (const char* text :
       {"bc:24:11:b0:1a:de", "BC-24-11-B0-1A-DE", "bc2411b01ade", "bc24.11b0.1ade"}) {
    v1::Mutation mutation;
    mutation.mutable_unassign()->set_host(text);
    EXPECT_THAT(FromProto(mutation), IsOkAndHolds(expected)) << text;
  }
}

TEST(MutationWireTest, AHostToCreateIsNamedByItsFirstMacAndItsMacsAreSorted) {
  const absl::StatusOr<Mutation> mutation =
      FromProto(MutationOf("create_host { macs: '52:54:00:12:34:57' macs: '525400123456' }"));
  ASSERT_THAT(mutation, IsOk());
  const CreateHost& create = std::get<CreateHost>(*mutation);
  EXPECT_EQ(create.name.text(), "52:54:00:12:34:57");
  ASSERT_EQ(create.macs.size(), 2u);
  EXPECT_EQ(create.macs[0].Format(), "52:54:00:12:34:56");
}

TEST(MutationWireTest, AnAbsentSettingStaysAndAnEmptyOneReturnsToItsDefault) {
  const absl::StatusOr<Mutation> nothing = FromProto(MutationOf("update_settings {}"));
  EXPECT_THAT(nothing, IsOkAndHolds(Mutation(UpdateSettings())));

  const absl::StatusOr<Mutation> defaults = FromProto(
      MutationOf("update_settings { default_distro: '' unknown_hosts: '' rootfs_path_prefix: '' "
                 "menu_timeout {} }"));
  UpdateSettings expected;
  expected.default_distro.emplace();
  expected.unknown_hosts.emplace();
  expected.rootfs_path_prefix.emplace();
  expected.menu_timeout = Settings::kDefaultMenuTimeout;
  EXPECT_THAT(defaults, IsOkAndHolds(Mutation(expected)));
  EXPECT_FALSE(Mutation(expected) == Mutation(UpdateSettings()));
}

TEST(MutationWireTest, TheSameHoldsForTheSettingsOfAnAgent) {
  UpdateAgentSettings expected{.agent = AgentId::Parse("rack1").value(),
                               .default_distro = {},
                               .set_variables = {},
                               .unset_variables = {},
                               .rootfs_path_prefix = {}};
  EXPECT_THAT(FromProto(MutationOf("update_agent_settings { agent_id: 'rack1' }")),
              IsOkAndHolds(Mutation(expected)));
  expected.default_distro.emplace();
  expected.rootfs_path_prefix.emplace();
  EXPECT_THAT(FromProto(MutationOf("update_agent_settings { agent_id: 'rack1' default_distro: '' "
                                   "rootfs_path_prefix: '' }")),
              IsOkAndHolds(Mutation(expected)));
}

TEST(MutationWireTest, RefusesEachInvalidFieldByItsName) {
  const struct {
    const char* mutation;
    const char* error;
  } kCases[] = {
      {"", "kind: "},
      {"assign { distro: 'menu' }", "host: host \"\""},
      {"assign { host: 'a b' distro: 'menu' }", "host: host \"a b\""},
      {"assign { host: '52:54' distro: 'menu' }", "host: mac \"52:54\": expected 6 octets, got 2"},
      {"assign { host: 'a' }", "distro: distro \"\""},
      {"assign { host: 'a' distro: 'debian/bookworm' }", "distro: distro \"debian/bookworm\""},
      {"assign { host: 'a' distro: 'menu' next_boot: false }", "next_boot: \"false\""},
      {"assign { host: 'a' distro: 'menu' duration { nanos: 2000000000 } }", "duration: "},
      {"assign { host: 'a' distro: 'menu' until { nanos: -1 } }", "until: "},
      {"update_host { host: 'a' name: 'a b' }", "name: host name \"a b\""},
      {"update_host { host: 'a' add_macs: 'x' }", "add_macs[0]: mac \"x\""},
      {"update_host { host: 'a' remove_macs: 'x' }", "remove_macs[0]: mac \"x\""},
      {"update_host { host: 'a' set_labels { key: 'a b' value: '' } }", "set_labels.a b: "},
      {"update_host { host: 'a' set_labels { key: 'a' value: 'b c' } }", "set_labels.a: "},
      {"update_host { host: 'a' unset_labels: '' }", "unset_labels[0]: "},
      {"update_host { host: 'a' set_variables { key: 'a' value: '${b}' } }",
       "set_variables.a: variable value \"${b}\""},
      {"update_host { host: 'a' note: 'two\\nlines' }", "note: "},
      {"set_group { name: 'a b' }", "name: "},
      {"set_group { name: 'a' selector: 'b in' }", "selector: "},
      {"set_group { name: 'a' priority: 1000001 }", "priority: \"1000001\""},
      {"set_group { name: 'a' distro: 'x/y' }", "distro: distro \"x/y\""},
      {"delete_group { name: '' }", "name: "},
      {"use_next_boot { token: 1 }", "host_id: \"0\""},
      {"use_next_boot { host_id: 1 }", "token: \"0\""},
      {"unassign {}", "host: host \"\""},
      {"create_host { name: 'a' }", "macs: \"0 MACs\""},
      {"create_host { macs: 'x' }", "macs[0]: mac \"x\""},
      {"create_host { macs: '525400123456' macs: '52:54:0:12:34:56' }",
       "macs[1]: \"52:54:0:12:34:56\": given twice"},
      {"create_host { name: 'A' macs: '525400123456' }", "name: host name \"A\""},
      {"create_host { name: '525400123456' macs: '525400123456' }",
       "name: host name \"525400123456\": a host named by its MAC is written 52:54:00:12:34:56"},
      {"delete_host { host: '' }", "host: host \"\""},
      {"set_profile { name: '' }", "name: profile name \"\""},
      {"set_profile { name: 'a' command_line: '${' }", "command_line: command line \"${\""},
      {"delete_profile { name: 'a b' }", "name: profile name \"a b\""},
      {"declare_distro { name: 'menu' chain: 'a' }", "name: distro name \"menu\""},
      {"declare_distro { name: 'a' }", "boot: "},
      {"declare_distro { name: 'a' chain: '/a' }", "chain: file \"/a\""},
      {"declare_distro { name: 'a' chain: 'a' architecture: 'sparc' }",
       "architecture: \"sparc\": expected x86_64"},
      {"delete_declared_distro { name: 'a/b' }", "name: distro name \"a/b\""},
      {"update_settings { default_distro: 'x/y' }", "default_distro: distro \"x/y\""},
      {"update_settings { unknown_hosts: 'x/y' }", "unknown_hosts: distro \"x/y\""},
      {"update_settings { set_variables { key: 'a b' value: '' } }",
       "set_variables: variable name \"a b\""},
      {"update_settings { set_variables { key: 'a' value: '${b}' } }",
       "set_variables.a: variable value \"${b}\""},
      {"update_settings { unset_variables: 'a' unset_variables: '' }",
       "unset_variables[1]: variable name \"\""},
      {"update_settings { menu_timeout { nanos: 1 } }", "menu_timeout: "},
      {"update_settings { menu_timeout { seconds: 3601 } }", "menu_timeout: \"1h1s\""},
      {"update_settings { rootfs_path_prefix: '/a/../b' }",
       "rootfs_path_prefix: rootfs path prefix \"/a/../b\""},
      {"update_agent_settings {}", "agent_id: agent id \"\""},
      {"update_agent_settings { agent_id: 'a' default_distro: 'x/y' }",
       "default_distro: distro \"x/y\""},
      {"update_agent_settings { agent_id: 'a' set_variables { key: 'a' value: '${b}' } }",
       "set_variables.a: variable value \"${b}\""},
      {"update_agent_settings { agent_id: 'a' rootfs_path_prefix: 'a' }",
       "rootfs_path_prefix: rootfs path prefix \"a\""},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(FromProto(MutationOf(c.mutation)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.error)))
        << c.mutation;
  }
}

TEST(MutationWireTest, TheEtagOfADistroToDeclareIsNotLookedAt) {
  const absl::StatusOr<Mutation> mutation =
      FromProto(MutationOf("declare_distro { name: 'a' chain: 'b' etag: 7 }"));
  ASSERT_THAT(mutation, IsOk());
  EXPECT_EQ(std::get<DeclareDistro>(*mutation).distro.etag, 0);
}

TEST(MutationWireTest, AHostHasABoundedNumberOfMacs) {
  v1::Mutation mutation;
  for (size_t i = 1; i <= kMaxMacsPerHost; ++i) {
    mutation.mutable_create_host()->add_macs(MacAddress::FromNumber(0x020000000000 + i).Format());
  }
  EXPECT_THAT(FromProto(mutation), IsOk());
  mutation.mutable_create_host()->add_macs("02:00:00:00:00:ff");
  EXPECT_THAT(FromProto(mutation),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("macs: \"65 MACs\"")));
}

TEST(MutationWireTest, RefusesEachInvalidExpectedEtag) {
  v1::ExpectedEtag expected;
  EXPECT_THAT(FromProto(expected),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("resource: ")));
  expected.set_host("a b");
  EXPECT_THAT(FromProto(expected),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("host: host \"a b\"")));
  expected.set_profile("a b");
  EXPECT_THAT(FromProto(expected), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("profile: profile name \"a b\"")));
  expected.set_declared_distro("menu");
  EXPECT_THAT(FromProto(expected), StatusIs(absl::StatusCode::kInvalidArgument,
                                            HasSubstr("declared_distro: distro name \"menu\"")));
  expected.set_agent("a b");
  EXPECT_THAT(FromProto(expected),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("agent: agent id \"a b\"")));
  expected.set_settings(false);
  EXPECT_THAT(FromProto(expected),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("settings: \"false\"")));
  expected.set_settings(true);
  EXPECT_THAT(FromProto(expected), IsOk());
  expected.set_etag(-1);
  EXPECT_THAT(FromProto(expected),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("etag: \"-1\"")));
}

TEST(MutationWireTest, DamagedMessagesNeverCrash) {
  RandomValues random(2);
  for (int i = 0; i < 40; ++i) {
    DamageEverywhere(ToProto(random.AnyMutation()),
                     [](const v1::Mutation& mutation) { return FromProto(mutation); });
    DamageEverywhere(ToProto(random.AnyExpectedEtag()),
                     [](const v1::ExpectedEtag& expected) { return FromProto(expected); });
  }
}

}  // namespace
}  // namespace autopxe
