#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "server/plan/plan.h"
#include "server/plan/plan_fixture.h"

namespace autopxe::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using SettingsPlanTest = PlanTest;

// Case 31: such a variable would be shadowed, or would change what iPXE does.
TEST_F(SettingsPlanTest, AVariableDoesNotTakeANameThatMeansSomethingElse) {
  for (const char* name :
       {"rootfs-path", "host", "mac", "agent-address", "agent", "arch", "bootif", "distro",
        "distro-name", "kernel", "release", "ip", "hostname", "uuid", "serial"}) {
    UpdateSettings update;
    update.set_variables = {{V(name), Value("x")}};
    const Refusal refusal = Refused({update});
    EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(refusal.problems[0].field, absl::StrCat("set_variables.", name));
    EXPECT_THAT(refusal.message, HasSubstr(name));
    UpdateAgentSettings of_agent = UpdateOf("lab");
    of_agent.set_variables = update.set_variables;
    EXPECT_EQ(Refused({of_agent}).message, refusal.message);
  }
}

TEST_F(SettingsPlanTest, AWayToTheLocalDiskIsOneOfThree) {
  for (const char* value : {"exit", "exit-ok", "sanboot"}) {
    UpdateSettings update;
    update.set_variables = {{V("local-boot"), Value(value)}};
    Accepted({update});
  }
  for (const char* value : {"", "Exit", "exit 1", "sanboot --drive 0x81"}) {
    UpdateSettings update;
    update.set_variables = {{V("local-boot"), Value(value)}};
    const Refusal refusal = Refused({update});
    EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument) << value;
    EXPECT_EQ(refusal.problems[0].field, "set_variables.local-boot");
    EXPECT_EQ(refusal.problems[0].value, value);
    EXPECT_THAT(refusal.message, HasSubstr("expected one of exit, exit-ok, sanboot"));
    UpdateAgentSettings of_agent = UpdateOf("lab");
    of_agent.set_variables = update.set_variables;
    EXPECT_EQ(Refused({of_agent}).message, refusal.message);
    UpdateHost of_host{.host = Ref("cn01")};
    of_host.set_variables = update.set_variables;
    EXPECT_EQ(Refused({Create("cn01", {Mac(kMac1)}), of_host}).message, refusal.message);
    SetGroup of_group{.name = *GroupName::Parse("g"), .selector = *Selector::Parse("a")};
    of_group.set_variables = update.set_variables;
    EXPECT_EQ(Refused({of_group}).message, refusal.message);
  }
}

TEST_F(SettingsPlanTest, AVariableIsNotSetAndUnsetAtOnce) {
  UpdateSettings update;
  update.set_variables = {{V("a"), Value("x")}};
  update.unset_variables = {V("a")};
  EXPECT_EQ(Refused({update}).problems[0].reason, Reason::kBatchInvalid);
}

TEST_F(SettingsPlanTest, AMenuTimeoutOutsideItsLimitsIsRefused) {
  for (const absl::Duration timeout :
       {absl::ZeroDuration(), absl::Milliseconds(1500), absl::Hours(1) + absl::Seconds(1),
        -absl::Seconds(5), absl::InfiniteDuration()}) {
    UpdateSettings update;
    update.menu_timeout = timeout;
    EXPECT_EQ(Refused({update}).problems[0].field, "menu_timeout") << timeout;
  }
}

TEST_F(SettingsPlanTest, ATemplateWithAVariableThatNobodySetIsRefused) {
  const Refusal refusal = Refused(
      {SetProfile{P("ok"), T("quiet")},
       SetProfile{P("p"),
                  T("a=${nfs-server} b=${rootfs-path} c=${host} d=${mac} e=${agent-address} "
                    "f=${net0/mac} g=${ip} h=${uuid} i=${uristring:x} j=${console}")}});
  EXPECT_EQ(refusal.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(refusal.message,
            "profile \"p\" uses ${nfs-server}, which no variable sets; set it first, or give it a "
            "default, ${nfs-server:-VALUE}, or add --force (and 1 more)");
  ASSERT_THAT(refusal.problems, SizeIs(2));
  EXPECT_EQ(refusal.problems[0].reason, Reason::kVariableUnset);
  EXPECT_EQ(refusal.problems[0].mutation, 1);
  EXPECT_EQ(refusal.problems[0].field, "command_line");
  EXPECT_THAT(refusal.problems[1].message, HasSubstr("${console}"));
}

TEST_F(SettingsPlanTest, WhatAnUnsetVariableLeavesIsWarnedOf) {
  // Set in the same batch, after the profile.
  UpdateSettings update;
  update.set_variables = {{V("nfs-server"), Value("10.0.0.1")}};
  EXPECT_THAT(Commit({SetProfile{P("p"), T("a=${nfs-server}")}, update}).warnings, IsEmpty());
  UpdateSettings unset;
  unset.unset_variables = {V("nfs-server"), V("nfs-servr")};
  EXPECT_THAT(Accepted({unset}).warnings,
              ElementsAre("variable \"nfs-servr\": it was not set",
                          "profile \"p\" uses ${nfs-server}, which no variable sets"));
}

TEST_F(SettingsPlanTest, AVariableWithADefaultNeedsNobodyToSetIt) {
  EXPECT_THAT(Accepted({SetProfile{P("p"), T("a=${console:-ttyS0} b=${extra:-}")}}).warnings,
              IsEmpty());
  EXPECT_THAT(Refused({SetProfile{P("p"), T("c=${both:-x}${both}")}}).message,
              HasSubstr("${both}, which no variable sets"));
}

// iPXE expands a template itself, and knows no default.
TEST_F(SettingsPlanTest, ADefaultThatCouldNeverBeUsedIsRefused) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"a ${ip:-10.0.0.1}",
       "profile \"p\": \"ip\" can't have a default, since iPXE itself fills it in; write ${ip}"},
      {"${net0/ip:ipv4:-x}",
       "profile \"p\": \"net0/ip:ipv4\" can't have a default, since iPXE itself fills it in; write "
       "${net0/ip:ipv4}"},
      {"${host:-x}",
       "profile \"p\": \"host\" can't have a default, since every boot sets it; write ${host}"},
      {"${arch:-} ${17:-x}",
       "profile \"p\": \"arch\" can't have a default, since every boot sets it; write ${arch} (and "
       "1 more)"},
  };
  for (const auto& c : cases) {
    const Refusal refusal =
        Refused({SetProfile{P("ok"), T("${console:-ttyS0}")}, SetProfile{P("p"), T(c.text)}});
    EXPECT_EQ(refusal.code, absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(refusal.message, c.message);
    EXPECT_EQ(refusal.problems[0].reason, Reason::kMalformed);
    EXPECT_EQ(refusal.problems[0].field, "command_line");
    EXPECT_EQ(refusal.problems[0].value, c.text);
    EXPECT_EQ(refusal.problems[0].mutation, 1);
  }
}

TEST_F(SettingsPlanTest, SettingsChangeOnlyWhatIsNamed) {
  SetUpProfiles();
  UpdateSettings first;
  first.default_distro.emplace(D(kOverlayfs));
  first.unknown_hosts.emplace(Distro::Wait());
  first.menu_timeout = absl::Seconds(3);
  first.rootfs_path_prefix.emplace(*RootfsPathPrefix::Parse("/pxe/rootfs"));
  first.set_variables = {{V("empty"), Value("")}};
  EXPECT_THAT(Commit({first}).differences,
              ElementsAre(Difference{"settings", "", "default_distro", {}, kOverlayfs},
                          Difference{"settings", "", "menu_timeout", "10s", "3s"},
                          Difference{"settings", "", "rootfs_path_prefix", {}, "/pxe/rootfs"},
                          Difference{"settings", "", "unknown_hosts", {}, "wait"},
                          Difference{"settings", "", "variables.empty", {}, ""}));
  UpdateSettings second;
  second.unknown_hosts.emplace(absl::nullopt);
  second.unset_variables = {V("nfs-server")};
  const Plan plan = Commit({second});
  EXPECT_THAT(plan.differences,
              ElementsAre(Difference{"settings", "", "unknown_hosts", "wait", {}},
                          Difference{"settings", "", "variables.nfs-server", "172.25.2.11", {}}));
  const Settings& settings = snapshot_->settings();
  EXPECT_EQ(settings.default_distro, D(kOverlayfs));
  EXPECT_EQ(settings.menu_timeout, absl::Seconds(3));
  EXPECT_EQ(settings.rootfs_path_prefix->text(), "/pxe/rootfs");
  EXPECT_EQ(settings.etag, 3);
}

TEST_F(SettingsPlanTest, WhatIsSetForAnAgentIsKeptUntilNothingIs) {
  SetUpProfiles();
  UpdateAgentSettings first = UpdateOf("lab");
  first.default_distro.emplace(D(kOverlayfs));
  first.rootfs_path_prefix.emplace(*RootfsPathPrefix::Parse("/export"));
  first.set_variables = {{V("nfs-server"), Value("10.77.1.1")}, {V("empty"), Value("")}};
  const Plan set = Commit({first});
  EXPECT_THAT(set.differences,
              ElementsAre(Difference{"agent", "lab", "default_distro", {}, kOverlayfs},
                          Difference{"agent", "lab", "rootfs_path_prefix", {}, "/export"},
                          Difference{"agent", "lab", "variables.empty", {}, ""},
                          Difference{"agent", "lab", "variables.nfs-server", {}, "10.77.1.1"}));
  EXPECT_THAT(set.warnings, IsEmpty());
  ASSERT_THAT(set.change.agent_settings, SizeIs(1));
  EXPECT_EQ(set.change.agent_settings[0].etag, 2);
  EXPECT_TRUE(Accepted({first}).change.empty());

  UpdateAgentSettings second = UpdateOf("lab");
  second.default_distro.emplace();
  second.unset_variables = {V("empty"), V("never")};
  const Plan some = Commit({second});
  EXPECT_THAT(some.differences,
              ElementsAre(Difference{"agent", "lab", "default_distro", kOverlayfs, {}},
                          Difference{"agent", "lab", "variables.empty", "", {}}));
  EXPECT_THAT(some.warnings, ElementsAre("variable \"never\": it was not set for agent \"lab\""));
  const AgentSettings* const left = snapshot_->FindAgentSettings(*AgentId::Parse("lab"));
  ASSERT_NE(left, nullptr);
  EXPECT_EQ(left->rootfs_path_prefix->text(), "/export");
  EXPECT_EQ(left->etag, 3);
  // The settings of the whole server are others.
  EXPECT_EQ(snapshot_->settings().variables.at(V("nfs-server")).text(), "172.25.2.11");

  UpdateAgentSettings last = UpdateOf("lab");
  last.rootfs_path_prefix.emplace();
  last.unset_variables = {V("nfs-server")};
  const Plan gone = Commit({last});
  EXPECT_THAT(gone.change.deleted_agent_settings, ElementsAre(*AgentId::Parse("lab")));
  EXPECT_THAT(gone.change.agent_settings, IsEmpty());
  EXPECT_THAT(gone.differences,
              ElementsAre(Difference{"agent", "lab", "rootfs_path_prefix", "/export", {}},
                          Difference{"agent", "lab", "variables.nfs-server", "10.77.1.1", {}}));
  EXPECT_EQ(snapshot_->FindAgentSettings(*AgentId::Parse("lab")), nullptr);
  // Here and gone in one batch, for an agent that has none.
  EXPECT_TRUE(Accepted({first, second, last}).change.empty());
}

TEST_F(SettingsPlanTest, AnAgentsDefaultDistroMustBeOfferedByThatAgent) {
  SetUpProfiles();
  const Catalogs other =
      CatalogsOf({{.name = "sid", .alias_of = "", .kernels = {Kernel("latest")}}});
  catalogs_.emplace(*AgentId::Parse("rack2"), other.begin()->second);
  catalogs_.emplace(*AgentId::Parse("bare"), std::make_shared<Catalog>());
  const auto update_of = [](absl::string_view agent, absl::string_view distro) {
    UpdateAgentSettings update = UpdateOf(agent);
    update.default_distro.emplace(D(distro));
    return update;
  };
  Accepted({update_of("lab", kOverlayfs), update_of("rack2", "debian/sid/latest/nfsrw"),
            update_of("bare", "local")});
  const struct {
    const char* agent;
    const char* distro;
    const char* message;
  } cases[] = {
      {"rack2", kOverlayfs,
       "distro \"debian/bookworm/latest/overlayfs\": agent \"rack2\" does not offer it; list the "
       "distros to see what can be assigned"},
      {"rack2", "debian/sdi/latest/nfsrw",
       "distro \"debian/sdi/latest/nfsrw\": agent \"rack2\" does not offer it; did you mean "
       "\"debian/sid/latest/nfsrw\"?"},
      {"bare", kOverlayfs,
       "distro \"debian/bookworm/latest/overlayfs\": agent \"bare\" offers no kernel at all; fill "
       "its rootfs folder, or set it with --allow-missing"},
      // Of an agent that has not told, whatever any other offers can be.
      {"rack3", "windows/11/latest/nfsrw",
       "distro \"windows/11/latest/nfsrw\": no agent offers it; list the distros to see what "
       "can be assigned"},
  };
  for (const auto& c : cases) {
    const UpdateAgentSettings update = update_of(c.agent, c.distro);
    const Refusal refusal = Refused({update});
    EXPECT_EQ(refusal.code, absl::StatusCode::kNotFound);
    EXPECT_EQ(refusal.message, c.message);
    ASSERT_THAT(refusal.problems, SizeIs(1));
    EXPECT_EQ(refusal.problems[0].reason, Reason::kDistroNotOffered);
    EXPECT_EQ(refusal.problems[0].field, "default_distro");
    EXPECT_EQ(refusal.problems[0].mutation, 0);
  }
  UpdateAgentSettings allowed = update_of("rack2", kOverlayfs);
  allowed.allow_missing = true;
  EXPECT_THAT(Accepted({allowed}).warnings,
              ElementsAre("distro \"debian/bookworm/latest/overlayfs\": agent \"rack2\" does not "
                          "offer it now"));
}

TEST_F(SettingsPlanTest, AnAgentThatNobodyHasHeardOfIsAcceptedWithAWarning) {
  SetUpProfiles();
  UpdateAgentSettings update = UpdateOf("labb");
  update.default_distro.emplace(D(kOverlayfs));
  EXPECT_THAT(Accepted({update}).warnings,
              ElementsAre("agent \"labb\": no such agent has reported yet; did you mean \"lab\"?"));
  update.agent = *AgentId::Parse("elsewhere");
  EXPECT_THAT(Commit({update}).warnings,
              ElementsAre("agent \"elsewhere\": no such agent has reported yet"));
  // Nothing to say of one that goes.
  update.default_distro.emplace();
  EXPECT_THAT(Accepted({update}).warnings, IsEmpty());
}

TEST_F(SettingsPlanTest, AnAssignmentThatHasEndedDoesNotKeepAProfile) {
  SetUpProfiles();
  Assign timed = AssignTo(kMac1, kNfsrw);
  timed.term = absl::Hours(2);
  Commit({timed});
  now_ += absl::Hours(2) - absl::Seconds(1);
  EXPECT_EQ(Refused({DeleteProfile{P("nfsrw")}}).problems[0].reason, Reason::kProfileInUse);
  now_ += absl::Seconds(1);
  Accepted({DeleteProfile{P("nfsrw")}});
}

TEST_F(SettingsPlanTest, AVariableThatOnlySomeAgentsSetIsWarnedOf) {
  catalogs_.emplace(*AgentId::Parse("rack2"), std::make_shared<Catalog>());
  const auto update_of = [](absl::string_view agent) {
    UpdateAgentSettings update = UpdateOf(agent);
    update.set_variables = {{V("nfs-server"), Value("10.77.1.1")}};
    return update;
  };
  const SetProfile profile{P("p"), T("a=${nfs-server}")};
  EXPECT_THAT(Accepted({update_of("lab"), profile}).warnings,
              ElementsAre("profile \"p\" uses ${nfs-server}, which only agent \"lab\" sets"));
  EXPECT_THAT(Accepted({update_of("lab"), update_of("rack2"), profile}).warnings, IsEmpty());
  UpdateSettings global;
  global.set_variables = {{V("nfs-server"), Value("172.25.2.11")}};
  EXPECT_THAT(Commit({update_of("lab"), update_of("rack2"), global, profile}).warnings, IsEmpty());

  // What one agent no longer sets, all still do; what all no longer do, the agents still set.
  UpdateAgentSettings unset = UpdateOf("lab");
  unset.unset_variables = {V("nfs-server")};
  EXPECT_THAT(Accepted({unset}).warnings, IsEmpty());
  UpdateSettings unset_global;
  unset_global.unset_variables = {V("nfs-server")};
  EXPECT_THAT(Accepted({unset_global}).warnings, IsEmpty());
  EXPECT_THAT(Accepted({unset, unset_global}).warnings,
              ElementsAre("profile \"p\" uses ${nfs-server}, which only agent \"rack2\" sets"));
  // Without any catalog nobody knows which agents there are.
  catalogs_.clear();
  EXPECT_THAT(
      Accepted({unset_global}).warnings,
      ElementsAre(
          "profile \"p\" uses ${nfs-server}, which only the agents \"lab\", \"rack2\" set"));
}

}  // namespace
}  // namespace autopxe::server
