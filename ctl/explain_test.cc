#include <string>

#include "absl/strings/str_cat.h"
#include "ctl/autopxectl_fixture.h"
#include "ctl/decision_text.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

using ::testing::AllOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::SizeIs;

v1::ExplainResponse AnExplanation() {
  v1::ExplainResponse explanation;
  v1::Decision& decision = *explanation.mutable_decision();
  decision.set_host("cn1");
  decision.set_agent_id("lab");
  decision.set_distro("debian/bookworm/latest/nfs");
  decision.set_distro_origin(v1::DISTRO_ORIGIN_GROUP);
  decision.set_group("gpu");
  decision.set_outcome(v1::OUTCOME_BOOT);
  explanation.add_sentences("Group gpu says so.");
  const auto add_word = [&](const char* text, const char* template_text) {
    v1::CommandLineWord& word = *explanation.add_command_line_words();
    word.set_text(text);
    word.set_template_text(template_text);
  };
  add_word("rw", "rw");
  add_word("nfsroot=10.77.1.1:/x", "nfsroot=${nfs-server}:${rootfs-path}");
  add_word("console=ttyS0", "console=${console:-ttyS0}");
  add_word("id=${uuid}", "id=${uuid}");
  const auto add_variable = [&](const char* name, const char* value, v1::VariableOrigin origin) {
    v1::DecisionVariable& variable = *explanation.add_variables();
    variable.set_name(name);
    variable.set_value(value);
    variable.set_origin(origin);
  };
  add_variable("nfs-server", "10.77.1.1", v1::VARIABLE_ORIGIN_AGENT);
  add_variable("rootfs-path", "/x", v1::VARIABLE_ORIGIN_BUILT_IN);
  add_variable("console", "ttyS0", v1::VARIABLE_ORIGIN_TEMPLATE);
  v1::BootFile& kernel = *explanation.add_files();
  kernel.set_role("kernel");
  kernel.set_path("/boot/vmlinuz");
  kernel.set_size(8 << 20);
  explanation.set_script("#!ipxe\n\x1b[2J\nboot\n");
  explanation.set_agent_state(v1::AGENT_STATE_BEHIND);
  explanation.mutable_agent_revision()->set_number(16);
  explanation.mutable_revision()->set_number(17);
  explanation.set_verdict(v1::VERDICT_DOUBTFUL);
  explanation.set_advice("wait for agent lab");
  return explanation;
}

TEST_F(AutopxectlTest, AnExplanationBeginsWithTheVerdictAndNamesTheOriginOfEachPart) {
  server_.explanation = AnExplanation();
  EXPECT_EQ(Ctl({"explain", "cn1", "--agent", "lab"}), kExitOk) << err_;
  EXPECT_EQ(
      out_,
      "doubtful: cn1 boots debian/bookworm/latest/nfs\n"
      "wait for agent lab\n"
      "\n"
      "Why:\n"
      "  Group gpu says so.\n"
      "\n"
      "Distro:\n"
      "  debian/bookworm/latest/nfs, by group gpu\n"
      "\n"
      "Command line, word by word:\n"
      "  WORD                  TEMPLATE                              ORIGIN\n"
      "  rw                    -                                     profile\n"
      "  nfsroot=10.77.1.1:/x  nfsroot=${nfs-server}:${rootfs-path}  nfs-server: agent; "
      "rootfs-path: built in\n"
      "  console=ttyS0         console=${console:-ttyS0}             console: profile's default\n"
      "  id=${uuid}            -                                     uuid: left to iPXE\n"
      "\n"
      "Variables:\n"
      "  NAME         VALUE      ORIGIN\n"
      "  nfs-server   10.77.1.1  agent\n"
      "  rootfs-path  /x         built in\n"
      "  console      ttyS0      profile's default\n"
      "\n"
      "Files:\n"
      "  ROLE    PATH           OCTETS\n"
      "  kernel  /boot/vmlinuz  8388608\n"
      "\n"
      "Agent:\n"
      "  lab is behind: serves revision 16, the server has 17\n"
      "\n"
      "Script:\n"
      "  #!ipxe\n"
      "  \\x1b[2J\n"
      "  boot\n");
  EXPECT_THAT(server_.questions(),
              ElementsAre("ExplainRequest host: \"cn1\" agent_id: \"lab\" by_http: true"));
  EXPECT_EQ(Ctl({"explain", "cn1", "-o", "json"}), kExitOk);
  EXPECT_THAT(out_, HasSubstr("\"verdict\": \"VERDICT_DOUBTFUL\""));
}

TEST_F(AutopxectlTest, AnExplanationOfADeclaredDistroNamesNoProfileAndNoSizeOfAUrl) {
  server_.explanation = AnExplanation();
  server_.explanation.mutable_decision()->set_distro("install");
  server_.explanation.mutable_files(0)->set_path("http://deb.example/linux");
  server_.explanation.mutable_files(0)->set_size(0);
  EXPECT_EQ(Ctl({"explain", "cn1"}), kExitOk) << err_;
  EXPECT_THAT(out_,
              HasSubstr("  rw                    -                                     distro\n"));
  EXPECT_THAT(out_, HasSubstr("console: distro's default\n"));
  EXPECT_THAT(out_, HasSubstr("  console      ttyS0      distro's default\n"));
  EXPECT_THAT(out_, HasSubstr("  kernel  http://deb.example/linux  -\n"));
}

TEST_F(AutopxectlTest, AWordSaysOfEachReferenceWhatItBecameThere) {
  v1::CommandLineWord word;
  word.set_text("a=12x");
  word.set_template_text("a=${v:-1}${v:-2}${w}${uuid}");
  const auto add = [&](const char* name, v1::VariableOrigin origin, const char* group) {
    v1::DecisionVariable& reference = *word.add_references();
    reference.set_name(name);
    reference.set_origin(origin);
    reference.set_group(group);
  };
  add("v", v1::VARIABLE_ORIGIN_TEMPLATE, "");
  add("v", v1::VARIABLE_ORIGIN_TEMPLATE, "");
  add("w", v1::VARIABLE_ORIGIN_GROUP, "gpu");
  add("uuid", v1::VARIABLE_ORIGIN_IPXE, "");
  EXPECT_EQ(WordOriginText(word, AnExplanation()),
            "v: profile's default; w: group gpu; uuid: left to iPXE");
}

TEST_F(AutopxectlTest, WhatIsKnownOfTheAgentAndOfOthersIsSaidBesides) {
  server_.explanation = AnExplanation();
  v1::ExplainResponse& explanation = server_.explanation;
  explanation.mutable_time()->set_seconds(10'000);
  explanation.mutable_agent_last_seen()->set_seconds(9'940);
  EXPECT_EQ(Ctl({"explain", "cn1"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("  it is not connected, last heard of 1m0s ago\n"
                              "  it has not told yet what it offers\n"
                              "\nScript:\n"));
  explanation.set_agent_connected(true);
  explanation.set_has_catalog(true);
  EXPECT_EQ(Ctl({"explain", "cn1"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("  it is connected, last heard of 1m0s ago\n"
                              "  what it offers is as it told it before the server started\n"));
  explanation.mutable_catalog_time()->set_seconds(9'995);
  explanation.set_agent_choice("agent lab is the first of 5");
  v1::Decision& elsewhere = *explanation.add_elsewhere();
  elsewhere.set_agent_id("attic");
  elsewhere.set_distro("wait");
  elsewhere.set_distro_origin(v1::DISTRO_ORIGIN_AGENT_DEFAULT);
  explanation.set_agents_different(2);
  explanation.set_agents_alike(2);
  explanation.add_script_doubts("the address in it");
  EXPECT_EQ(Ctl({"explain", "cn1", "--asked-at", "10.77.1.1"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("  it told what it offers 5s ago\n"
                              "  agent lab is the first of 5\n"
                              "\n"
                              "Elsewhere:\n"
                              "  AGENT  DISTRO  BY               OUTCOME    COMMAND LINE\n"
                              "  attic  wait    agent's default  not known  -\n"
                              "  and something else at 1 more\n"
                              "  the same as above at 2 more\n"
                              "\n"
                              "Script:\n"));
  EXPECT_THAT(out_, EndsWith("\nWhat of the script can differ:\n  the address in it\n"));
  EXPECT_EQ(server_.questions().back(),
            "ExplainRequest host: \"cn1\" by_http: true asked_at: \"10.77.1.1\"");
  EXPECT_EQ(Ctl({"render", "cn1"}), kExitOk);
  EXPECT_EQ(out_, explanation.script());
  EXPECT_THAT(err_, AllOf(HasSubstr("agent lab is the first of 5"),
                          HasSubstr("not certain: the address in it")));
}

TEST_F(AutopxectlTest, ARenderedScriptIsItsBytesAndNothingElse) {
  server_.explanation.set_script(std::string("#!ipxe\0\x1b\xff", 10));
  EXPECT_EQ(Ctl({"render", "cn1", "--tftp"}), kExitOk) << err_;
  EXPECT_EQ(out_, std::string("#!ipxe\0\x1b\xff", 10));
  EXPECT_THAT(server_.questions(), ElementsAre("ExplainRequest host: \"cn1\""));
}

TEST_F(AutopxectlTest, WhoRendersWhatIsIgnoredIsToldThatNothingIsServed) {
  v1::Decision& decision = *server_.explanation.mutable_decision();
  decision.set_host("cn1");
  decision.set_agent_id("lab");
  decision.set_distro("ignore");
  decision.set_distro_origin(v1::DISTRO_ORIGIN_HOST);
  decision.set_outcome(v1::OUTCOME_IGNORE);
  EXPECT_EQ(Ctl({"render", "cn1"}), kExitOk);
  EXPECT_EQ(out_, "");
  EXPECT_EQ(err_,
            "agent lab does not answer cn1, which gets no script: its distro is ignore, by "
            "assignment\n");
}

TEST_F(AutopxectlTest, DecisionsAreATableThatCanBeFolded) {
  for (const char* name : {"cn1", "cn2", "login1", "cn3"}) {
    v1::Decision& decision = *server_.decisions.add_decisions();
    decision.set_host(name);
    const bool is_login = decision.host() == "login1";
    decision.set_distro(is_login ? "local" : "a/b/c/d");
    decision.set_distro_origin(is_login ? v1::DISTRO_ORIGIN_HOST : v1::DISTRO_ORIGIN_GROUP);
    if (!is_login) decision.set_group("rack1");
    decision.set_outcome(is_login ? v1::OUTCOME_LOCAL : v1::OUTCOME_MISSING);
    if (!is_login) decision.set_missing("no release b");
  }
  EXPECT_EQ(Ctl({"resolve", "-l", "rack=r1", "--agent", "lab"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "HOST    DISTRO   BY           OUTCOME\n"
            "cn1     a/b/c/d  group rack1  missing: no release b\n"
            "cn2     a/b/c/d  group rack1  missing: no release b\n"
            "login1  local    assignment   local\n"
            "cn3     a/b/c/d  group rack1  missing: no release b\n");
  EXPECT_EQ(Ctl({"resolve", "--fold"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "COUNT  HOSTS    DISTRO   BY           OUTCOME\n"
            "3      cn[1-3]  a/b/c/d  group rack1  missing: no release b\n"
            "1      login1   local    assignment   local\n");
  EXPECT_THAT(server_.questions().front(), HasSubstr("selector: \"rack=r1\" agent_id: \"lab\""));
}

TEST_F(AutopxectlTest, HostsThatMissTheSameThingAreFoldedWhateverTheirNames) {
  for (const char* name : {"cn1", "cn2", "cn3"}) {
    v1::Decision& decision = *server_.decisions.add_decisions();
    decision.set_host(name);
    decision.set_distro("a/b/c/d");
    decision.set_distro_origin(v1::DISTRO_ORIGIN_HOST);
    decision.set_outcome(v1::OUTCOME_MISSING);
    decision.set_missing(absl::StrCat("Host ", name, " should boot a/b/c/d, but agent \"lab\" has ",
                                      name == std::string("cn3") ? "no release b." : "no a."));
  }
  EXPECT_EQ(Ctl({"resolve", "--agent", "lab", "--fold"}), kExitOk) << err_;
  EXPECT_THAT(out_, ContainsRegex("2 +cn.1-2. +a/b/c/d +assignment +missing: the host should boot "
                                  "a/b/c/d, but agent \"lab\" has no a[.]\n"));
  EXPECT_THAT(out_, ContainsRegex("1 +cn3 .* has no release b[.]\n"));
}

TEST_F(AutopxectlTest, GroupsAreATableInTheOrderInWhichTheyWin) {
  v1::Group& group = *server_.groups.add_groups();
  group.set_name("gpu");
  group.set_selector("gpu!=none");
  group.set_priority(10);
  (*group.mutable_variables())["b"] = "2";
  (*group.mutable_variables())["a"] = "1";
  EXPECT_EQ(Ctl({"group", "list"}), kExitOk) << err_;
  EXPECT_EQ(out_,
            "NAME  PRIORITY  SELECTOR   DISTRO  VARIABLES\n"
            "gpu   10        gpu!=none  -       a=1,b=2\n");
  EXPECT_EQ(Ctl({"group", "show", "gpu"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("selector             gpu!=none\n"));
}

TEST_F(AutopxectlTest, TheHistoryTellsWhoChangedWhatFromWhere) {
  for (const int number : {9, 8, 7}) {
    v1::HistoryEntry& entry = *server_.history.add_entries();
    v1::Revision& revision = *entry.mutable_revision();
    revision.mutable_id()->set_number(number);
    revision.set_user("ada@desk");
    revision.set_origin("ipv4:10.0.0.5:40112");
    for (const char* name : {"cn1", "cn2"}) {
      v1::Difference& difference = *entry.add_differences();
      difference.set_kind("host");
      difference.set_name(name);
      difference.set_field("distro");
      difference.set_after("local");
    }
  }
  server_.history.set_trimmed(true);
  server_.history.mutable_entries(0)->set_more_differences(9900);
  EXPECT_EQ(Ctl({"history", "host", "cn1", "-n", "2"}), kExitOk) << err_;
  EXPECT_THAT(out_, ContainsRegex("ada@desk    ipv4:10.0.0.5:40112  2 hosts cn.1-2. distro +- +"
                                  "local\n9 .*and 9900 differences more +- +-\n8 "));
  EXPECT_THAT(err_, AllOf(HasSubstr("older revisions"), HasSubstr("history --revision NUMBER")));
  EXPECT_THAT(server_.questions(),
              ElementsAre("ListHistoryRequest kind: \"host\" name: \"cn1\" page_size: 2",
                          "ListHistoryRequest kind: \"host\" name: \"cn1\" page_size: 1 "
                          "page_token: \"1\""));
  EXPECT_EQ(Ctl({"history", "-n", "0"}), kExitOk) << err_;
  EXPECT_THAT(out_, HasSubstr("\n7 "));
  EXPECT_THAT(err_, HasSubstr("no longer kept"));
}

TEST_F(AutopxectlTest, TheHistoryOfWhatNeverWasIsRefused) {
  server_.hosts.add_hosts()->set_name("cn1");
  EXPECT_EQ(Ctl({"history", "host", "cn1"}), kExitOk) << "it was trimmed: " << err_;
  for (const char* kind : {"host", "group", "distro"}) {
    EXPECT_EQ(Ctl({"history", kind, "nosuch"}), kExitRefused);
    EXPECT_EQ(out_, "");
    EXPECT_THAT(err_, HasSubstr("no such "));
  }
}

TEST_F(AutopxectlTest, AllThatARevisionChangedIsReadFromAllItsPages) {
  v1::HistoryEntry& entry = *server_.history.add_entries();
  entry.mutable_revision()->mutable_id()->set_number(9);
  for (int i = 1; i <= 12; ++i) {
    v1::Difference& difference = *entry.add_differences();
    difference.set_kind("host");
    difference.set_name(absl::StrCat("cn", i));
    difference.set_field("note");
    difference.set_before("");
    difference.set_after(absl::StrCat("note ", i < 3 ? 1 : i));
  }
  EXPECT_EQ(Ctl({"history", "--revision", "9", "host", "cn1"}), kExitOk) << err_;
  EXPECT_THAT(out_, ContainsRegex("2 hosts cn.1-2. note +.empty. +note 1\n"));
  EXPECT_THAT(out_, ContainsRegex("host cn12 note +.empty. +note 12\n"));
  EXPECT_THAT(server_.questions(), SizeIs(12));
  EXPECT_EQ(server_.questions().front(),
            "ListDifferencesRequest revision: 9 kind: \"host\" name: \"cn1\" page_size: 1000");
  EXPECT_EQ(Ctl({"history", "--revision", "8"}), kExitRefused);
  EXPECT_EQ(Ctl({"history", "--revision", "-8"}), kExitUsage);
}

}  // namespace
}  // namespace autopxe::ctl
