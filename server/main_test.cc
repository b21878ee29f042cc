// The program itself: its flags, signals and exit codes.

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

// The program, running.
class Program {
 public:
  explicit Program(std::vector<std::string> args) {
    int out[2];
    int err[2];
    EXPECT_EQ(pipe2(out, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(err, O_CLOEXEC), 0);
    const std::string path = absl::StrCat(std::getenv("TEST_SRCDIR"), "/",
                                          std::getenv("TEST_WORKSPACE"), "/server/autopxe-server");
    args.insert(args.begin(), path);
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    argv.push_back(nullptr);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(out[1], STDOUT_FILENO);
      dup2(err[1], STDERR_FILENO);
      execv(path.c_str(), argv.data());
      _exit(127);
    }
    close(out[1]);
    close(err[1]);
    out_ = out[0];
    err_ = err[0];
  }

  ~Program() {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    close(out_);
    close(err_);
  }

  // Reads the log until a line contains `text`; empty if the log ends before.
  std::string WaitForLine(const std::string& text) {
    while (true) {
      for (size_t end; (end = pending_.find('\n')) != std::string::npos;) {
        const std::string line = pending_.substr(0, end);
        pending_.erase(0, end + 1);
        if (absl::StrContains(line, text)) return line;
      }
      char buffer[4096];
      const ssize_t n = read(err_, buffer, sizeof(buffer));
      if (n <= 0) return "";
      pending_.append(buffer, static_cast<size_t>(n));
    }
  }

  void Signal(int number) { kill(pid_, number); }

  struct End {
    int exit_code;  // -1: killed by a signal.
    std::string out;
    std::string err;
  };

  // Waits until it has ended.
  End Wait() {
    End end;
    end.err = pending_ + ReadAll(err_);
    end.out = ReadAll(out_);
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return end;
  }

 private:
  static std::string ReadAll(int file) {
    std::string text;
    char buffer[4096];
    ssize_t n;
    while ((n = read(file, buffer, sizeof(buffer))) > 0)
      text.append(buffer, static_cast<size_t>(n));
    return text;
  }

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string pending_;
};

std::string NewFolder() {
  std::string pattern = testing::TempDir() + "/main_test.XXXXXX";
  return mkdtemp(pattern.data());
}

TEST(MainTest, ItSaysWhereItListensAndATerminateEndsItWithSuccess) {
  for (int number : {SIGTERM, SIGINT}) {
    Program program({"--listen", "127.0.0.1:0", "--database", NewFolder() + "/autopxe.db"});
    EXPECT_THAT(program.WaitForLine("event=listening "),
                MatchesRegex("[0-9T:.-]+Z info event=listening protocol=grpc "
                             "address=127\\.0\\.0\\.1:[1-9][0-9]+"));
    program.Signal(number);
    const Program::End end = program.Wait();
    EXPECT_EQ(end.exit_code, 0);
    EXPECT_THAT(end.err, HasSubstr("event=stopped"));
    EXPECT_THAT(end.err, Not(HasSubstr("event=listening_beyond_loopback")));
  }
}

TEST(MainTest, ListeningBeyondLoopbackIsSaid) {
  Program program({"--listen", "0.0.0.0:0", "--database", NewFolder() + "/autopxe.db"});
  EXPECT_THAT(program.WaitForLine("event=listening_beyond_loopback"),
              HasSubstr("there is no authentication"));
}

// faults.md 52.
TEST(MainTest, AHangUpReloadsTheLogLevelAndABadFileKeepsTheOldOne) {
  const std::string folder = NewFolder();
  const std::string file = folder + "/server.yaml";
  const std::string good = absl::StrCat("listen: 127.0.0.1:0\ndatabase: ", folder, "/a.db\n");
  std::ofstream(file) << good;
  Program program({"--config", file});
  ASSERT_NE(program.WaitForLine("event=listening "), "");
  std::ofstream(file) << good << "log-level: debug\n";
  program.Signal(SIGHUP);
  EXPECT_THAT(
      program.WaitForLine("event=reload"),
      AllOf(HasSubstr("result=ok"), HasSubstr("log_level=debug"), Not(HasSubstr("restart"))));
  std::ofstream(file) << good << "log-level: verbose\n";
  program.Signal(SIGHUP);
  EXPECT_THAT(program.WaitForLine("event=reload"),
              AllOf(HasSubstr("result=refused"), HasSubstr("server.yaml:3 (log-level)")));
  std::ofstream(file) << good << "log-level: info\nshutdown-grace: 1s\n";
  program.Signal(SIGHUP);
  EXPECT_THAT(program.WaitForLine("event=reload"),
              AllOf(HasSubstr("result=ok"), HasSubstr("log_level=info"), HasSubstr("restart")));
  program.Signal(SIGTERM);
  EXPECT_EQ(program.Wait().exit_code, 0);
}

TEST(MainTest, WhatKeepsItFromStartingIsOneLineAndOne) {
  const std::string folder = NewFolder();
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
