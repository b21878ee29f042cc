#include "common/runtime/log_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "common/runtime/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// What holds a line back until something else writes it.
LogWriter::Options AfterTwo() {
  return {.at_once = 2, .interval = absl::Hours(1), .max_held = 100};
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
    LogWriter writer(in(), {.at_once = 3, .interval = absl::Milliseconds(1), .max_held = 1000});
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

TEST_F(LogWriterTest, APipeThatIsFullAndDoesNotBlockLosesNothing) {
  fcntl(pipe_[0], F_SETPIPE_SZ, 4096);
  fcntl(in(), F_SETFL, O_NONBLOCK);
  const std::string line = std::string(100'000, 'x') + "\n";
  std::string written;
  std::thread reader([&] {
    while (written.size() < 2 * line.size()) {
      written += Written();
      std::this_thread::yield();
    }
  });
  LogWriter writer(in(), AfterTwo());
  writer.Write(line, false);
  writer.Write(line, true);
  reader.join();
  EXPECT_EQ(written, line + line);
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
