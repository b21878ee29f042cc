// The program itself: its flags, signals and exit codes.

#include <signal.h>

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/runtime/test_program.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::server {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

class Program : public TestProgram {
 public:
  explicit Program(std::vector<std::string> args)
      : TestProgram("server/autopxe-server", std::move(args)) {}
};

TEST(MainTest, ItSaysWhereItListensAndATerminateEndsItWithSuccess) {
  for (int number : {SIGTERM, SIGINT}) {
    Program program({"--listen", "127.0.0.1:0", "--database", NewTestFolder() + "/autopxe.db"});
    EXPECT_THAT(program.WaitForLine("event=listening "),
                MatchesRegex("[0-9T:.-]+Z info event=listening protocol=grpc "
                             "address=127\\.0\\.0\\.1:[1-9][0-9]+"));
    program.Signal(number);
    const Program::End end = program.Wait();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.err, HasSubstr("event=stopped"));
    EXPECT_THAT(end.err, Not(HasSubstr("event=listening-beyond-loopback")));
  }
}

TEST(MainTest, ListeningBeyondLoopbackIsSaid) {
  Program program({"--listen", "0.0.0.0:0", "--database", NewTestFolder() + "/autopxe.db"});
  EXPECT_THAT(program.WaitForLine("event=listening-beyond-loopback"),
              HasSubstr("there is no authentication"));
}

// faults.md 52.
TEST(MainTest, AHangUpTakesOverWhatCanChangeAndNamesWhatTakesARestart) {
  const std::string folder = NewTestFolder();
  const std::string file = folder + "/server.yaml";
  const std::string good = absl::StrCat("listen: 127.0.0.1:0\ndatabase: ", folder, "/a.db\n");
  std::ofstream(file) << good;
  Program program({"--config", file});
  ASSERT_NE(program.WaitForLine("event=listening "), "");
  std::ofstream(file) << good << "log-level: debug\nshutdown-grace: 1s\n";
  program.Signal(SIGHUP);
  EXPECT_THAT(program.WaitForLine("option=log-level"), HasSubstr("old=info new=debug effect=now"));
  EXPECT_THAT(program.WaitForLine("option=shutdown-grace"), HasSubstr("old=10s new=1s effect=now"));
  EXPECT_THAT(program.WaitForLine("event=reload"), HasSubstr("result=ok changed=2 need_restart=0"));
  std::ofstream(file) << "listen: 127.0.0.1:0\ndatabase: /elsewhere.db\nlog-level: debug\n"
                         "shutdown-grace: 1s\n";
  program.Signal(SIGHUP);
  EXPECT_THAT(program.WaitForLine("option=database"),
              AllOf(HasSubstr("/a.db"), HasSubstr("new=/elsewhere.db effect=at-restart")));
  EXPECT_THAT(program.WaitForLine("event=reload"), HasSubstr("result=ok changed=0 need_restart=1"));
  program.Signal(SIGTERM);
  EXPECT_THAT(program.WaitForLine("event=stopping"), HasSubstr("grace=1.000"));
  EXPECT_EQ(program.Wait().exit_code, 0);
}

// faults.md 52, 48.
TEST(MainTest, ABadConfigurationLeavesTheOldOneInForceWithOneLine) {
  const std::string folder = NewTestFolder();
  const std::string file = folder + "/server.yaml";
  const std::string good =
      absl::StrCat("listen: 127.0.0.1:0\nlog-level: info\ndatabase: ", folder, "/a.db\n");
  std::ofstream(file) << good;
  Program program({"--config", file});
  ASSERT_NE(program.WaitForLine("event=listening "), "");
  const struct {
    std::string text;
    std::string error;
  } kCases[] = {
      {good + "log-levle: debug\n", "server.yaml:4: unknown key"},
      {"log-level: verbose\n", "server.yaml:1 (log-level): "},
      {good + "shutdown-grace: -1s\n", "server.yaml:4 (shutdown-grace): "},
      {"a: [", "server.yaml:"},
      {"a: \"\\\x1b[31m\"\n", "server.yaml:1: "},
      {"\x1b[31mkey\x07: 1\n", "server.yaml:1: "},
      {"log-level: \xff\n", "server.yaml:1"},
  };
  for (const auto& c : kCases) {
    std::ofstream(file) << c.text;
    program.Signal(SIGHUP);
    const std::string line = program.WaitForLine("event=reload");
    EXPECT_THAT(line, AllOf(HasSubstr("result=refused"), HasSubstr(c.error))) << c.text;
    for (const char byte : line) EXPECT_TRUE(byte >= ' ' && byte < 127) << line;
  }
  remove(file.c_str());
  program.Signal(SIGHUP);
  EXPECT_THAT(program.WaitForLine("event=reload"),
              AllOf(HasSubstr("result=refused"), HasSubstr("No such file")));
  // All the while the old one was in force.
  std::ofstream(file) << good;
  program.Signal(SIGHUP);
  EXPECT_THAT(program.WaitForLine("event="),
              HasSubstr("event=reload result=ok changed=0 need_restart=0"));
}

// faults.md 48.
TEST(MainTest, NothingOfABadConfigurationReachesTheTerminalAsItIs) {
  const std::string folder = NewTestFolder();
  for (const std::string& text :
       {std::string("a: \"\\\x1b[31m\"\n"), std::string("\x1b[31mkey\x07: 1\n"),
        std::string("log-level: \"\\e[31m\"\n"), std::string("a: [\x07\n")}) {
    std::ofstream(folder + "/\x1b[31m.yaml") << text;
    const Program::End end = Program({"--config", folder + "/\x1b[31m.yaml"}).Wait();
    EXPECT_EQ(end.exit_code, 2);
    EXPECT_THAT(end.err, MatchesRegex("autopxe-server: [ -~]+\n")) << text;
  }
  EXPECT_THAT(Program({"--li\x1b[31m"}).Wait().err, MatchesRegex("autopxe-server: [ -~]+\n"));
}

TEST(MainTest, WhatKeepsItFromStartingIsOneLineAndOne) {
  const std::string folder = NewTestFolder();
  Program program({"--listen", "127.0.0.1:0", "--log-level", "error", "--database",
                   folder + "/missing/autopxe.db"});
  const Program::End end = program.Wait();
  EXPECT_EQ(end.exit_code, 1);
  EXPECT_THAT(end.err, MatchesRegex("autopxe-server: [^\n]*missing/autopxe\\.db[^\n]*\n"));

  Program first({"--listen", "127.0.0.1:0", "--database", folder + "/autopxe.db"});
  ASSERT_NE(first.WaitForLine("event=listening "), "");
  Program second(
      {"--listen", "127.0.0.1:0", "--log-level", "error", "--database", folder + "/autopxe.db"});
  const Program::End refused = second.Wait();
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, MatchesRegex("autopxe-server: [^\n]*autopxe\\.db[^\n]*\n"));
}

TEST(MainTest, AWrongCallIsTwoAndHelpIsSuccess) {
  for (const std::vector<std::string>& args : {std::vector<std::string>{"--lisen", "127.0.0.1:0"},
                                               {"--listen", "nowhere"},
                                               {"stray"},
                                               {"--config", "/nowhere/server.yaml"}}) {
    const Program::End end = Program(args).Wait();
    EXPECT_EQ(end.exit_code, 2) << testing::PrintToString(args);
    EXPECT_THAT(end.err, MatchesRegex("autopxe-server: [^\n]+\n"));
    EXPECT_THAT(end.out, IsEmpty());
  }
  for (const char* flag : {"--help", "--version"}) {
    const Program::End end = Program({flag}).Wait();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.out, HasSubstr("autopxe-server"));
    EXPECT_THAT(end.err, IsEmpty());
  }
}

}  // namespace
}  // namespace autopxe::server
