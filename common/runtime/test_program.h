#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace autopxe {

// A daemon, running as a process of its own, for tests of flags, signals, exit codes and the log.
// Killed when this object goes. A program that has ended by then, and whose end nobody has waited
// for, fails the test.
class TestProgram {
 public:
  // `path` is within the workspace, such as "server/autopxe-server", and is among the test's data.
  TestProgram(absl::string_view path, std::vector<std::string> args);
  ~TestProgram();
  TestProgram(const TestProgram&) = delete;
  TestProgram& operator=(const TestProgram&) = delete;

  // Reads the log until a line contains `text`. If the program ends before, the test fails and says
  // how it ended and what it has logged; empty then.
  std::string WaitForLine(absl::string_view text);

  // Reads the log to its end, for a program that is to lose none of it.
  void ReadLog();

  // Does nothing once its end has been waited for.
  void Signal(int number) const;
  pid_t pid() const { return pid_; }

  struct End {
    int exit_code = -1;  // -1: killed by a signal.
    int signal = 0;      // That signal.
    std::string out;
    std::string err;  // What WaitForLine has not read.
  };

  // Waits until it has ended.
  End Wait();

 private:
  // Reads more of the log; false at its end.
  bool ReadMore();
  // How it ended, and all that it has logged; waits for its end.
  std::string FormatEnd();

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string log_;
  size_t read_ = 0;  // What of it WaitForLine has read.
  absl::optional<End> end_;
};

// A new folder below the test's own.
std::string NewTestFolder();

}  // namespace autopxe
