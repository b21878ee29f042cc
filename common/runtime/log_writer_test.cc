#include "common/runtime/log_writer.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// What holds a line back until something else writes it.
LogWriter::Options AfterTwo() {
  return {.at_once = 2, .interval = absl::Hours(1), .max_batch = 100};
}

class LogWriterTest : public testing::Test {
 protected:
  LogWriterTest() {
    EXPECT_EQ(pipe2(pipe_, O_CLOEXEC), 0);
    fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    fcntl(pipe_[0], F_SETPIPE_SZ, 1 << 20);
  }
  ~LogWriterTest() override {
    for (const int fd : pipe_) close(fd);
  }

  // Over a pipe that is soon full, with room for `max_held` bytes behind it.
  LogWriter::Options WithLittleRoom(size_t max_held) const {
    fcntl(pipe_[0], F_SETPIPE_SZ, 4096);
    LogWriter::Options options = AfterTwo();
    options.max_held = max_held;
    options.flush_limit = absl::ZeroDuration();
    options.lost_lines = [](uint64_t lines) { return absl::StrCat("lost ", lines, "\n"); };
    return options;
  }

  // Every second line is urgent.
  static void WriteLines(LogWriter& writer, int lines) {
    for (int i = 0; i < lines; ++i) writer.Write(Line(i), i % 2 == 0);
  }
  static std::string Line(int i) { return absl::StrCat("line ", i, "\n"); }

  int in() const { return pipe_[1]; }

  // What has been written since the last call.
  std::string Written() const {
    std::string written;
    char bytes[4096];
    for (ssize_t count; (count = read(pipe_[0], bytes, sizeof bytes)) > 0;) {
      written.append(bytes, static_cast<size_t>(count));
    }
    return written;
  }

  int pipe_[2];
};

TEST_F(LogWriterTest, FewLinesGoOutAtOnceAndManyTogether) {
  LogWriter writer(in(), AfterTwo());
  writer.Write("a\n", false);
  EXPECT_EQ(Written(), "a\n");
  writer.Write("b\n", false);
  EXPECT_EQ(Written(), "b\n");
  writer.Write("c\n", false);
  writer.Write("d\n", false);
  EXPECT_EQ(Written(), "");
  writer.Flush();
  EXPECT_EQ(Written(), "c\nd\n");
  writer.Write("e\n", false);
  EXPECT_EQ(Written(), "");
}

TEST_F(LogWriterTest, WhatIsHeldBackGoesOutInTime) {
  LogWriter writer(in(), {.at_once = 1, .interval = absl::Milliseconds(1)});
  std::string expected;
  std::string written;
  for (int i = 0; i < 1000; ++i) {
    writer.Write(absl::StrCat(i, "\n"), false);
    absl::StrAppend(&expected, i, "\n");
  }
  while (written.size() < expected.size()) {
    written += Written();
    std::this_thread::yield();
  }
  EXPECT_EQ(written, expected);
}

TEST_F(LogWriterTest, WhatIsHeldBackGoesOutBeforeTheFirstLineOfTheNextInterval) {
  FakeClock clock;
  LogWriter writer(in(), AfterTwo(), clock);
  for (const char* line : {"a\n", "b\n", "c\n"}) writer.Write(line, false);
  EXPECT_EQ(Written(), "a\nb\n");
  clock.Advance(absl::Hours(1));
  writer.Write("d\n", false);
  EXPECT_EQ(Written(), "c\nd\n");
}

TEST_F(LogWriterTest, AnUrgentLineTakesAlongWhatCameBefore) {
  LogWriter writer(in(), AfterTwo());
  for (const char* line : {"a\n", "b\n", "c\n"}) writer.Write(line, false);
  Written();
  writer.Write("warning\n", true);
  EXPECT_EQ(Written(), "c\nwarning\n");
  writer.Write("warning\n", true);
  EXPECT_EQ(Written(), "warning\n");
}

TEST_F(LogWriterTest, NoMoreIsHeldBackThanThereIsRoomFor) {
  LogWriter writer(in(), AfterTwo());
  for (const char* line : {"a\n", "b\n"}) writer.Write(line, false);
  Written();
  const std::string half = std::string(50, 'c') + "\n";
  writer.Write(half, false);
  EXPECT_EQ(Written(), "");
  writer.Write(half, false);
  EXPECT_EQ(Written(), half + half);
}

TEST_F(LogWriterTest, TheEndWritesWhatIsHeldBack) {
  auto writer = std::make_unique<LogWriter>(in(), AfterTwo());
  for (const char* line : {"a\n", "b\n", "c\n"}) writer->Write(line, false);
  EXPECT_EQ(Written(), "a\nb\n");
  writer.reset();
  EXPECT_EQ(Written(), "c\n");
}

TEST_F(LogWriterTest, LinesOfManyThreadsStayWholeAndEachThreadsInOrder) {
  constexpr int kThreads = 4;
  constexpr int kLines = 2000;
  {
    LogWriter writer(in(), {.at_once = 3, .interval = absl::Milliseconds(1), .max_batch = 1000});
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&writer, thread] {
        for (int i = 0; i < kLines; ++i)
          writer.Write(absl::StrCat(thread, " ", i, "\n"), i % 500 == 0);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  std::vector<int> next(kThreads, 0);
  for (const absl::string_view line : absl::StrSplit(Written(), '\n', absl::SkipEmpty())) {
    const int thread = line[0] - '0';
    ASSERT_TRUE(thread >= 0 && thread < kThreads) << line;
    ASSERT_EQ(line, absl::StrCat(thread, " ", next[static_cast<size_t>(thread)]++));
  }
  EXPECT_THAT(next, testing::Each(kLines));
}

TEST_F(LogWriterTest, AReaderThatIsSlowerLosesNothing) {
  for (const bool blocks : {true, false}) {
    fcntl(pipe_[0], F_SETPIPE_SZ, 4096);
    fcntl(in(), F_SETFL, blocks ? 0 : O_NONBLOCK);
    const std::string line = std::string(100'000, 'x') + "\n";
    std::string written;
    LogWriter writer(in(), AfterTwo());
    for (int i = 0; i < 5; ++i) writer.Write(line, i == 3);
    while (written.size() < 5 * line.size()) {
      written += Written();
      std::this_thread::yield();
    }
    EXPECT_EQ(written, line + line + line + line + line);
  }
}

TEST_F(LogWriterTest, AReaderThatStopsStopsNobodyAndIsToldHowManyLinesWereLost) {
  const LogWriter::Options options = WithLittleRoom(20'000);
  LogWriter writer(in(), options);
  constexpr int kLines = 10'000;
  for (int i = 0; i < kLines; ++i) writer.Write(Line(i), true);
  std::string written;
  while (!absl::EndsWith(written, "the last\n")) {
    written += Written();
    if (absl::StrContains(written, "lost")) writer.Write("the last\n", true);
    std::this_thread::yield();
  }
  // The lines that there was room for, as they came; then how many there was none for.
  std::string expected;
  int i = 0;
  for (; absl::StartsWith(absl::string_view(written).substr(expected.size()), Line(i)); ++i) {
    expected += Line(i);
  }
  EXPECT_GT(i, 1000);
  EXPECT_LT(i, kLines);
  EXPECT_THAT(written,
              testing::StartsWith(expected + options.lost_lines(kLines - i) + "the last\n"));
}

TEST_F(LogWriterTest, WhatWasLostIsToldOnceThereIsRoomForAnotherLine) {
  LogWriter writer(in(), WithLittleRoom(8'000));
  const std::string page = std::string(4095, 'x') + "\n";
  // One in the pipe, two held: the next two find no room.
  for (int i = 0; i < 5; ++i) writer.Write(page, true);
  std::string written;
  while (written.size() < 2 * page.size()) written += Written();
  writer.Write("a\n", true);
  while (!absl::EndsWith(written, "a\n")) written += Written();
  EXPECT_EQ(written, page + page + page + "lost 2\n" + "a\n");
}

TEST_F(LogWriterTest, AFloodOfLinesCrowdsNoUrgentOneOut) {
  std::string written;
  {
    LogWriter writer(in(), WithLittleRoom(20'000));
    for (int i = 0; i < 10'000; ++i) writer.Write(Line(i), false);
    writer.Write("warning\n", true);
    while (!absl::EndsWith(written, "warning\n")) written += Written();
  }
  EXPECT_LT(written.size(), 4096 + 10'000 + 100);
}

// Whoever made the pipe non-blocking, or blocking, is not told otherwise.
TEST_F(LogWriterTest, TheDescriptorStaysAsItWas) {
  WriteLines(*std::make_unique<LogWriter>(in(), WithLittleRoom(20'000)), 10'000);
  EXPECT_EQ(fcntl(in(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(LogWriterTest, ATerminalThatTakesNothingStopsNobody) {
  const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(master, 0);
  ASSERT_EQ(unlockpt(master), 0);
  const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_GE(terminal, 0);
  WriteLines(*std::make_unique<LogWriter>(terminal, WithLittleRoom(20'000)), 40'000);
  close(terminal);
  close(master);
}

// A full disk.
TEST_F(LogWriterTest, WhatADiskDidNotTakeIsToldOnceItTakesAgain) {
  const std::string path = testing::TempDir() + "/log";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  ASSERT_GE(file, 0);
  auto options = AfterTwo();
  options.lost_lines = [](uint64_t lines) { return absl::StrCat("lost ", lines, "\n"); };
  {
    LogWriter writer(file, options);
    const auto limit = [](rlim_t bytes) {
      const rlimit size = {bytes, RLIM_INFINITY};
      EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &size), 0);
    };
    signal(SIGXFSZ, SIG_IGN);
    writer.Write("first\n", true);
    limit(6);
    for (int i = 0; i < 3; ++i) writer.Write("second\n", true);
    limit(RLIM_INFINITY);
    writer.Write("third\n", true);
  }
  close(file);
  std::stringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), "first\nlost 3\nthird\n");
}

TEST_F(LogWriterTest, TheEndGivesUpOnAReaderThatHasStopped) {
  const std::string line = std::string(10'000, 'x') + "\n";
  LogWriter(in(), WithLittleRoom(20'000)).Write(line, true);
  EXPECT_EQ(Written(), line.substr(0, 4096));
}

TEST_F(LogWriterTest, AFileTakesEverything) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  const std::string line = std::string(100'000, 'x') + "\n";
  LogWriter(fileno(file), AfterTwo()).Write(line, true);
  std::string written(2 * line.size(), '\0');
  std::rewind(file);
  written.resize(std::fread(written.data(), 1, written.size(), file));
  EXPECT_EQ(written, line);
  std::fclose(file);
}

TEST_F(LogWriterTest, AReaderThatHasGoneStopsNobody) {
  signal(SIGPIPE, SIG_IGN);
  LogWriter writer(in(), AfterTwo());
  close(pipe_[0]);
  for (int i = 0; i < 1000; ++i) writer.Write("lost\n", false);
  pipe_[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

}  // namespace
}  // namespace autopxe
