#include "common/wire/change_wire.h"

#include <memory>

#include "common/status/status_matchers.h"
#include "common/wire/random_values.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

void ExpectSame(const Change& a, const Change& b) {
  EXPECT_EQ(a.base, b.base);
  EXPECT_EQ(a.revision, b.revision);
  EXPECT_EQ(a.settings, b.settings);
  EXPECT_EQ(a.agent_settings, b.agent_settings);
  EXPECT_EQ(a.deleted_agent_settings, b.deleted_agent_settings);
  EXPECT_EQ(a.profiles, b.profiles);
  EXPECT_EQ(a.deleted_profiles, b.deleted_profiles);
  ASSERT_EQ(a.declared_distros.size(), b.declared_distros.size());
  for (size_t i = 0; i < a.declared_distros.size(); ++i) {
    EXPECT_EQ(*a.declared_distros[i], *b.declared_distros[i]);
  }
  EXPECT_EQ(a.deleted_declared_distros, b.deleted_declared_distros);
  EXPECT_EQ(a.deleted_hosts, b.deleted_hosts);
  ASSERT_EQ(a.hosts.size(), b.hosts.size());
  for (size_t i = 0; i < a.hosts.size(); ++i) EXPECT_EQ(*a.hosts[i], *b.hosts[i]);
}

TEST(ChangeWireTest, ValuesComeBack) {
  RandomValues random(1);
  for (int i = 0; i < 500; ++i) {
    const Change change = random.AnyChange();
    const absl::StatusOr<std::shared_ptr<const Change>> back = FromProto(ToProto(change));
    ASSERT_THAT(back, IsOk());
    ExpectSame(**back, change);
  }
}

TEST(ChangeWireTest, RefusesEachInvalidFieldByItsName) {
  RandomValues random(2);
  Change change = random.AnyChange();
  change.settings = random.AnySettings();
  change.agent_settings = {random.AnyAgentSettings()};
  change.deleted_agent_settings = {random.AnyAgentId()};
  change.profiles = {random.AnyProfile()};
  change.deleted_profiles = {random.AnyProfileName()};
  change.declared_distros = {std::make_shared<const DeclaredDistro>(random.AnyDeclaredDistro())};
  change.deleted_declared_distros = {random.AnyDistroName()};
  change.hosts = {std::make_shared<const Host>(random.AnyHost())};
  change.deleted_hosts = {HostId{7}};
  const v1::Change good = ToProto(change);
  ASSERT_THAT(FromProto(good), IsOk());
  const auto refused = [&](const char* error, auto edit) {
    v1::Change damaged = good;
    edit(damaged);
    EXPECT_THAT(FromProto(damaged), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(error)));
  };
  refused("base: ", [](v1::Change& c) { c.clear_base(); });
  refused("base.number: \"-1\"", [](v1::Change& c) { c.mutable_base()->set_number(-1); });
  refused("revision: ", [](v1::Change& c) { c.clear_revision(); });
  refused("revision.id: ", [](v1::Change& c) { c.mutable_revision()->clear_id(); });
  refused("revision.id.number: ",
          [](v1::Change& c) { c.mutable_revision()->mutable_id()->set_number(c.base().number()); });
  refused("settings.unknown_hosts: ",
          [](v1::Change& c) { c.mutable_settings()->set_unknown_hosts("x/y"); });
  refused("agent_settings[0].agent_id: ",
          [](v1::Change& c) { c.mutable_agent_settings(0)->clear_agent_id(); });
  refused("deleted_agent_settings[0]: ",
          [](v1::Change& c) { c.set_deleted_agent_settings(0, "a b"); });
  refused("profiles[0].name: ", [](v1::Change& c) { c.mutable_profiles(0)->set_name("a b"); });
  refused("deleted_profiles[0]: ", [](v1::Change& c) { c.set_deleted_profiles(0, "a b"); });
  refused("declared_distros[0].name: ",
          [](v1::Change& c) { c.mutable_declared_distros(0)->set_name("a b"); });
  refused("deleted_declared_distros[0]: ",
          [](v1::Change& c) { c.set_deleted_declared_distros(0, "menu"); });
  refused("hosts[0].macs: ", [](v1::Change& c) { c.mutable_hosts(0)->clear_macs(); });
  refused("deleted_hosts[0]: \"0\"", [](v1::Change& c) { c.set_deleted_hosts(0, 0); });
}

TEST(ChangeWireTest, DamagedMessagesNeverCrash) {
  RandomValues random(3);
  for (int i = 0; i < 5; ++i) {
    DamageEverywhere(ToProto(random.AnyChange()),
                     [](const v1::Change& change) { return FromProto(change); });
  }
}

}  // namespace
}  // namespace autopxe
