#include "ctl/autopxectl.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::SizeIs;
using ::testing::StartsWith;

TEST_F(AutopxectlTest, CommandsAskTheServerForWhatTheySay) {
  const std::string options = "options { user: \"ada@desk\" }";
  const struct {
    std::vector<std::string> args;
    std::string request;
  } kCases[] = {
      {{"assign", "52:54:00:12:34:56", "a/b/c/d"},
       "AssignHostsRequest hosts: \"52:54:00:12:34:56\" distro: \"a/b/c/d\" " + options},
      {{"assign", "web1", "host", "list", "local", "--allow-missing"},
       "AssignHostsRequest hosts: \"web1\" hosts: \"host\" hosts: \"list\" distro: \"local\" "
       "allow_missing: true " +
           options},
      {{"unassign", "web1", "web2"},
       "UnassignHostsRequest hosts: \"web1\" hosts: \"web2\" " + options},
      {{"host", "create", "web1", "52:54:00:12:34:56"},
       "ApplyRequest mutations { create_host { name: \"web1\" macs: \"52:54:00:12:34:56\" } } " +
           options},
      {{"host", "create", "525400123456"},
       "ApplyRequest mutations { create_host { macs: \"525400123456\" } } " + options},
      {{"host", "delete", "web1"}, "DeleteHostsRequest hosts: \"web1\" " + options},
      {{"profile", "set", "nfs", "root=${x} rw"},
       "SetProfileRequest name: \"nfs\" command_line: \"root=${x} rw\" " + options},
      {{"profile", "set", "plain", ""}, "SetProfileRequest name: \"plain\" " + options},
      {{"profile", "set", "--", "odd", "-x"},
       "SetProfileRequest name: \"odd\" command_line: \"-x\" " + options},
      {{"profile", "set", "odd", "--", "-x"},
       "SetProfileRequest name: \"odd\" command_line: \"-x\" " + options},
      {{"profile", "delete", "nfs"}, "DeleteProfileRequest name: \"nfs\" " + options},
      {{"settings", "set", "menu-timeout", "3s"},
       "UpdateSettingsRequest update { menu_timeout { seconds: 3 } } " + options},
      {{"settings", "set", "default-distro", "a/b/c/d", "--allow-missing"},
       "UpdateSettingsRequest update { default_distro: \"a/b/c/d\" allow_missing: true } " +
           options},
      {{"settings", "unset", "variables.x"},
       "UpdateSettingsRequest update { unset_variables: \"x\" } " + options},
      {{"agent", "set", "rack1", "variables.nfs-server", "10.77.1.1"},
       "UpdateAgentSettingsRequest update { agent_id: \"rack1\" set_variables { key: "
       "\"nfs-server\" value: \"10.77.1.1\" } } " +
           options},
      {{"agent", "set", "rack1", "default-distro", "a/b/c/d", "--allow-missing"},
       "UpdateAgentSettingsRequest update { agent_id: \"rack1\" default_distro: \"a/b/c/d\" "
       "allow_missing: true } " +
           options},
      {{"agent", "unset", "rack1", "rootfs-path-prefix"},
       "UpdateAgentSettingsRequest update { agent_id: \"rack1\" rootfs_path_prefix: \"\" } " +
           options},
      {{"--user", "bob", "unassign", "x"},
       "UnassignHostsRequest hosts: \"x\" options { user: \"bob\" }"},
      {{"unassign", "x", "--user", ""}, "UnassignHostsRequest hosts: \"x\" options { }"},
  };
  size_t count = 0;
  for (const auto& c : kCases) {
    EXPECT_EQ(Ctl(c.args), kExitOk) << err_;
    ASSERT_THAT(server_.changes(), SizeIs(++count)) << testing::PrintToString(c.args);
    EXPECT_EQ(server_.changes().back(), c.request);
  }
}

TEST_F(AutopxectlTest, WhoeverSitsBehindSudoIsClaimed) {
  variables_["SUDO_USER"] = "grace";
  variables_["USER"] = "root";
  Ctl({"unassign", "x"});
  EXPECT_THAT(server_.changes().back(), HasSubstr("user: \"grace@desk\""));
  variables_.erase("SUDO_USER");
  variables_.erase("USER");
  Ctl({"unassign", "x"});
  EXPECT_THAT(server_.changes().back(), HasSubstr("user: \"joan@desk\""));
}

TEST_F(AutopxectlTest, AWrongCommandLineIsOneLineAndChangesNothing) {
  const struct {
    std::vector<std::string> args;
    std::string what;
  } kCases[] = {
      {{}, "autopxectl --help"},
      {{"no-such"}, "no-such"},
      {{"assign"}, "--help"},
      {{"assign", "web1"}, "then the distro"},
      {{"assign", "a", "b", "--no-such"}, "--no-such"},
      {{"assign", "a", "b", "--wait", "--timeout", "soon"}, "\"soon\""},
      {{"assign", "a", "b", "--timeout", "5s"}, "--timeout requires --wait"},
      {{"unassign", "a", "--timeout", "5s"}, "--timeout requires --wait"},
      {{"host"}, "--help"},
      {{"host", "no-such"}, "no-such"},
      {{"host", "show"}, "--help"},
      {{"host", "show", "a", "b"}, "b"},
      {{"host", "create", "web1"}, "expected a MAC"},
      {{"host", "list", "--columns", "name,size"}, "expected one of name, macs"},
      {{"host", "list", "--filter", "distro"}, "COLUMN=PATTERN"},
      {{"host", "list", "--sort", "size"}, "\"size\""},
      {{"host", "delete"}, "no hosts are named"},
      {{"host", "delete", "cn[1-"}, "cn[1-"},
      {{"host", "set", "web1"}, "expected NAME=VALUE"},
      {{"host", "set", "web1", "a=1", "a=2"}, "set twice"},
      {{"host", "set", "web1", "=1"}, "expected KEY=VALUE"},
      {{"host", "label", "web1"}, "expected KEY=VALUE"},
      {{"host", "note", "text"}, "then the text"},
      {{"host", "rename", "web1"}, "--help"},
      {{"host", "add-mac", "web1"}, "then its MACs"},
      {{"host", "import", "hosts"}, "--format"},
      {{"group", "set", "gpu", "--distro", "local", "--no-distro"}, "exclude"},
      {{"group", "set", "gpu", "--set", "x"}, "expected KEY=VALUE"},
      {{"group", "set", "gpu", "--priority", "high"}, "high"},
      {{"assign", "a", "local", "--next", "--until", "2h"}, "exclude"},
      {{"assign", "a", "local", "--until", "soon"}, "\"soon\""},
      {{"assign", "-l", "", "local"}, "is empty"},
      {{"assign", "-f", "/nonexistent", "local"}, "/nonexistent"},
      {{"unassign"}, "no hosts are named"},
      {{"distro", "declare", "x"}, "--kernel"},
      {{"resolve", "--fold", "-o", "json"}, "--fold"},
      {{"resolve", "--fold", "-o", "yaml"}, "--fold"},
      {{"render", "cn1", "-o", "json"}, "autopxectl explain -o json"},
      {{"history", "hosts"}, "hosts"},
      {{"history", "-n", "-1"}, "-n"},
      {{"profile", "set", "x"}, "expected a name"},
      {{"profile", "set", "x", "a", "b"}, "single quotes"},
      {{"settings", "set", "no-such", "x"}, "default-distro"},
      {{"agent", "set", "rack1", "menu-timeout", "3s"}, "default-distro"},
      {{"agent", "set", "rack1", "default-distro"}, "--help"},
      {{"agent", "unset", "rack1"}, "--help"},
      {{"agent", "show"}, "--help"},
      {{"agent", "settings", "rack1"}, "rack1"},
      {{"host", "list", "-o", "xml"}, "xml"},
      {{"--server", "a:b", "host", "list"}, "--server: server address \"a:b\""},
      {{"import", "autopxe", "/nonexistent"}, "/nonexistent"},
      {{"import", "autopxe", "/"}, "/"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Ctl(c.args), kExitUsage) << testing::PrintToString(c.args);
    EXPECT_EQ(out_, "");
    EXPECT_THAT(err_, AllOf(StartsWith("autopxectl: "), HasSubstr(c.what)));
    const std::vector<std::string> lines = absl::StrSplit(err_, '\n');
    EXPECT_THAT(lines, SizeIs(2)) << err_;
  }
  EXPECT_THAT(server_.changes(), IsEmpty());
}

TEST_F(AutopxectlTest, EveryCommandHasHelpWithAnExample) {
  const std::vector<std::vector<std::string>> kCommands = {
      {},
      {"assign"},
      {"unassign"},
      {"host", "list"},
      {"host", "show"},
      {"host", "create"},
      {"host", "delete"},
      {"host", "set"},
      {"host", "label"},
      {"host", "note"},
      {"host", "lock"},
      {"host", "unlock"},
      {"host", "rename"},
      {"host", "add-mac"},
      {"host", "remove-mac"},
      {"host", "import"},
      {"group", "list"},
      {"group", "show"},
      {"group", "set"},
      {"group", "delete"},
      {"explain"},
      {"render"},
      {"resolve"},
      {"history"},
      {"distro", "list"},
      {"distro", "show"},
      {"distro", "declare"},
      {"distro", "delete"},
      {"distro", "moves"},
      {"profile", "list"},
      {"profile", "show"},
      {"profile", "set"},
      {"profile", "delete"},
      {"settings", "show"},
      {"settings", "set"},
      {"settings", "unset"},
      {"agent", "list"},
      {"agent", "delete"},
      {"agent", "show"},
      {"agent", "settings"},
      {"agent", "set"},
      {"agent", "unset"},
      {"import", "autopxe"},
      {"version"},
  };
  for (std::vector<std::string> command : kCommands) {
    std::string path = "autopxectl";
    for (const std::string& word : command) absl::StrAppend(&path, " ", word);
    command.push_back("--help");
    EXPECT_EQ(Ctl(command), kExitOk) << path;
    EXPECT_EQ(err_, "");
    // An example is a line that could be typed.
    EXPECT_THAT(out_, AllOf(HasSubstr("Usage: " + path), HasSubstr("\n  " + path))) << path;
  }
  for (const char* noun : {"host", "group", "distro", "profile", "settings", "agent", "import"}) {
    EXPECT_EQ(Ctl({noun, "--help"}), kExitOk);
    EXPECT_THAT(out_, HasSubstr("Usage: autopxectl " + std::string(noun) + " COMMAND"));
  }
}

TEST_F(AutopxectlTest, ARefusalIsTheServersLineAndExitCodeOne) {
  server_.Refuse(
      1,
      grpc::Status(grpc::StatusCode::NOT_FOUND,
                   "distro \"debain/x\": no agent offers it; did you mean \"debian/x\"?\x1b[1m"));
  EXPECT_EQ(Ctl({"assign", "a", "debain/x"}), kExitRefused);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(
      err_,
      "autopxectl: distro \"debain/x\": no agent offers it; did you mean \"debian/x\"?\\x1b[1m\n");
}

TEST_F(AutopxectlTest, AnUnreachableServerIsNamedWithExitCodeThree) {
  EXPECT_EQ(Ctl({"--server", "127.0.0.1:1", "host", "list"}), kExitUnreachable);
  EXPECT_EQ(out_, "");
  EXPECT_THAT(err_, AllOf(HasSubstr("127.0.0.1:1"), HasSubstr("--server")));
}

TEST_F(AutopxectlTest,
       ACallThatFailedOnTheWayIsMadeOnceMoreUnderTheSameRequestId) {  // faults.md, case 45.
  server_.Refuse(1, grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting"));
  EXPECT_EQ(Ctl({"unassign", "a"}), kExitOk) << err_;
  ASSERT_THAT(server_.request_ids(), SizeIs(2));
  EXPECT_EQ(server_.request_ids()[0], server_.request_ids()[1]);
  EXPECT_THAT(server_.request_ids()[0], MatchesRegex("[0-9a-f]{32}"));

  server_.Refuse(5, grpc::Status(grpc::StatusCode::UNAVAILABLE, "the disk is broken"));
  EXPECT_EQ(Ctl({"unassign", "a"}), kExitUnreachable);
  ASSERT_THAT(server_.request_ids(), SizeIs(4));
  EXPECT_NE(server_.request_ids()[2], server_.request_ids()[0]);
  EXPECT_THAT(err_, HasSubstr("the disk is broken"));
}

TEST_F(AutopxectlTest, WarningsGoBesideTheAnswer) {
  server_.applied.add_warnings("variable \"x\" is not set");
  EXPECT_EQ(Ctl({"unassign", "a"}), kExitOk);
  EXPECT_EQ(out_, "it was so already; revision 17\n");
  EXPECT_EQ(err_, "warning: variable \"x\" is not set\n");
}

TEST_F(AutopxectlTest, VersionTellsBoth) {
  EXPECT_EQ(Ctl({"version"}), kExitOk);
  EXPECT_THAT(out_, MatchesRegex("autopxectl [0-9.]+\nautopxe-server 9.8.7 at 127.0.0.1:[0-9]+\n"));
  EXPECT_EQ(Ctl({"version", "--server", "127.0.0.1:1"}), kExitUnreachable);
  EXPECT_THAT(out_, MatchesRegex("autopxectl [0-9.]+\n"));
  EXPECT_EQ(Ctl({"version", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("\"autopxe-server\": \"9.8.7\""));
}

}  // namespace
}  // namespace autopxe::ctl
