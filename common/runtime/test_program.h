#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace autopxe {

// A daemon, running as a process of its own, for tests of flags, signals, exit codes and the log.
// Killed when this object goes, unless it has ended.
class TestProgram {
 public:
  // `path` is within the workspace, such as "server/autopxe-server", and is among the test's data.
  TestProgram(absl::string_view path, std::vector<std::string> args);
  ~TestProgram();
  TestProgram(const TestProgram&) = delete;
  TestProgram& operator=(const TestProgram&) = delete;

  // Reads the log until a line contains `text`; empty if the log ends before.
  std::string WaitForLine(absl::string_view text);

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
  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  std::string pending_;
};

// A new folder below the test's own.
std::string NewTestFolder();

}  // namespace autopxe
