#include "common/runtime/test_program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/base/internal/raw_logging.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string ReadAll(int file) {
  std::string text;
  char buffer[4096];
  ssize_t n;
  while ((n = read(file, buffer, sizeof(buffer))) > 0) text.append(buffer, static_cast<size_t>(n));
  return text;
}

}  // namespace

TestProgram::TestProgram(absl::string_view path, std::vector<std::string> args) {
  int out[2];
  int err[2];
  ABSL_RAW_CHECK(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0, "pipe2 failed");
  const std::string file =
      absl::StrCat(Variable("TEST_SRCDIR"), "/", Variable("TEST_WORKSPACE"), "/", path);
  args.insert(args.begin(), file);
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  pid_ = fork();
  ABSL_RAW_CHECK(pid_ >= 0, "fork failed");
  if (pid_ == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(file.c_str(), argv.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  out_ = out[0];
  err_ = err[0];
}

TestProgram::~TestProgram() {
  if (!end_.has_value()) {
    siginfo_t ended = {};
    waitid(P_PID, static_cast<id_t>(pid_), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (ended.si_pid == pid_) {
      ADD_FAILURE() << "nobody waited for its end: " << FormatEnd();
    } else {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
  }
  close(out_);
  close(err_);
}

std::string TestProgram::WaitForLine(absl::string_view text) {
  do {
    for (size_t end; (end = log_.find('\n', read_)) != std::string::npos;) {
      const std::string line = log_.substr(read_, end - read_);
      read_ = end + 1;
      if (absl::StrContains(line, text)) return line;
    }
  } while (ReadMore());
  ADD_FAILURE() << "no line with \"" << text << "\": " << FormatEnd();
  return "";
}

void TestProgram::ReadLog() {
  while (ReadMore()) {
  }
}

void TestProgram::Signal(int number) const {
  // Its id may be another process's by then.
  if (!end_.has_value()) kill(pid_, number);
}

TestProgram::End TestProgram::Wait() {
  if (end_.has_value()) return *end_;
  ReadLog();
  End end;
  end.err = log_.substr(read_);
  end.out = ReadAll(out_);
  int status = 0;
  waitpid(pid_, &status, 0);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  end_ = end;
  return end;
}

bool TestProgram::ReadMore() {
  char buffer[4096];
  const ssize_t n = read(err_, buffer, sizeof(buffer));
  if (n > 0) log_.append(buffer, static_cast<size_t>(n));
  return n > 0;
}

std::string TestProgram::FormatEnd() {
  const End end = Wait();
  return absl::StrCat(end.signal != 0 ? absl::StrCat("killed by signal ", end.signal)
                                      : absl::StrCat("ended with exit code ", end.exit_code),
                      ", log:\n", log_);
}

std::string NewTestFolder() {
  const std::string parent = Variable("TEST_TMPDIR");
  std::string pattern = absl::StrCat(parent.empty() ? "/tmp" : parent, "/folder.XXXXXX");
  ABSL_RAW_CHECK(mkdtemp(pattern.data()) != nullptr, "mkdtemp failed");
  return pattern;
}

}  // namespace autopxe
