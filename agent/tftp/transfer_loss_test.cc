#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "agent/tftp/test_transfer.h"
#include "agent/tftp/transfer.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

// What a transfer does about packets that are late, doubled or lost, and when.
namespace autopxe::agent::tftp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

using TimePoint = Transfer::TimePoint;

// faults.md case 10.
TEST(TransferLossTest, ADuplicateAcknowledgementSendsNothing) {
  for (const NegotiatedOptions& options : {Plain(), Windowed(4)}) {
    Recorder recorder(options, 512 * 60);
    recorder.transfer.Start(recorder.now);
    if (!options.acknowledged.empty()) recorder.Ack(0);
    uint16_t number = 0;
    while (recorder.transfer.is_open()) {
      number = static_cast<uint16_t>(std::min(number + options.window_size, 61));
      recorder.Ack(number);
      recorder.Sent();
      recorder.Ack(number);
      recorder.Ack(number);
      EXPECT_THAT(recorder.Sent(), IsEmpty()) << "after block " << number;
    }
    EXPECT_EQ(recorder.blocks_sent(), 61u);
  }
}

// faults.md case 10.
TEST(TransferLossTest, AGapInAWindowIsFilledOnce) {
  Recorder recorder(Windowed(4), 512 * 100);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  recorder.Sent();
  // Block 2 was lost: OVMF acknowledges 1 for each block that came behind it.
  recorder.Ack(1);
  EXPECT_THAT(recorder.Sent(), ElementsAre("2", "3", "4", "5"));
  recorder.Ack(1);
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  // Answers to what was under way, while the gap is known: the window moves on, nothing is sent
  // again.
  recorder.Ack(2);
  EXPECT_THAT(recorder.Sent(), ElementsAre("6"));
  recorder.Ack(6);
  EXPECT_THAT(recorder.Sent(), ElementsAre("7", "8", "9", "10"));
  // The gap is closed; another one is new.
  recorder.Ack(8);
  EXPECT_THAT(recorder.Sent(), ElementsAre("9", "10", "11", "12"));
}

// What becomes of acknowledgements that come late, twice or in another order. faults.md cases 10
// and 14.
TEST(TransferLossTest, EachGapIsFilledOnceAndWhatIsNoneIsLeftAlone) {
  // The round trip takes no time here: a suspicion waits for 10 ms, a time-out for 100.
  constexpr int kSuspicion = -10;
  constexpr int kTimeOut = -100;
  struct Step {
    int number;  // Acknowledged; or which wait is over.
    std::vector<std::string> sent;
  };
  struct Case {
    const char* name;
    uint16_t window;
    std::vector<Step> steps;  // From the first window on.
  };
  const Case cases[] = {
      {"the second copy of a block is lost as well",
       4,
       {{1, {"2", "3", "4", "5"}},
        {2, {"6"}},  // Of the first copies or of the second: the client may have 3 by now.
        {kSuspicion, {"3", "4", "5", "6"}},
        {2, {}},
        {kTimeOut, {"3", "4"}}}},
      {"a block is lost, and its copy",
       4,
       {{1, {"2", "3", "4", "5"}},
        {1, {}},
        {1, {}},
        {kSuspicion, {"2", "3", "4", "5"}},
        {1, {}},
        {kTimeOut, {"2", "3"}}}},
      {"what was thought lost had only been overtaken",
       4,
       {{1, {"2", "3", "4", "5"}}, {2, {"6"}}, {6, {"7", "8", "9", "10"}}, {kTimeOut, {"7", "8"}}}},
      {"a gap after another, each while the last one is filled",
       4,
       {{1, {"2", "3", "4", "5"}},
        {2, {"6"}},
        {kSuspicion, {"3", "4", "5", "6"}},
        {4, {"7", "8"}},
        {kSuspicion, {"5", "6", "7", "8"}},
        {8, {"9", "10", "11", "12"}}}},
      {"the first block of a window is lost, and the client says so for each of the others",
       4,
       {{4, {"5", "6", "7", "8"}},
        {4, {}},
        {4, {}},
        {4, {}},
        {kSuspicion, {"5", "6", "7", "8"}},
        {4, {}},
        {kTimeOut, {"5", "6"}}}},
      {"an acknowledgement that the network has doubled",
       4,
       {{4, {"5", "6", "7", "8"}}, {4, {}}, {8, {"9", "10", "11", "12"}}, {8, {}}, {4, {}}}},
      {"acknowledgements that have overtaken each other",
       4,
       {{4, {"5", "6", "7", "8"}}, {2, {}}, {8, {"9", "10", "11", "12"}}, {4, {}}, {6, {}}}},
      {"the acknowledgement of a window is lost: copies are answered, and the answers are no gaps",
       4,
       {{kTimeOut, {"1", "2"}},
        {4, {"5", "6", "7", "8"}},
        {4, {}},  // To the second of the copies.
        {2 * kTimeOut, {"5", "6"}}}},
      {"of single blocks nothing is suspected",
       1,
       {{1, {"2"}}, {1, {}}, {kTimeOut, {"2"}}, {2, {"3"}}, {2, {}}, {3, {"4"}}}},
  };
  for (const auto& [name, window, steps] : cases) {
    SCOPED_TRACE(name);
    Recorder recorder(Windowed(window), 512 * 100);
    recorder.transfer.Start(recorder.now);
    recorder.Ack(0);
    recorder.Sent();
    for (const Step& step : steps) {
      SCOPED_TRACE(step.number);
      if (step.number < 0) {
        EXPECT_LE(recorder.transfer.deadline() - recorder.now, milliseconds(-step.number));
        recorder.TimeOut();
      } else {
        recorder.Ack(static_cast<uint16_t>(step.number));
      }
      EXPECT_EQ(recorder.Sent(), step.sent);
    }
  }
}

TEST(TransferLossTest, AClientThatAsksAgainAfterATimeoutIsNotLeftWaiting) {
  for (const uint16_t window : {1, 4}) {
    Recorder recorder(Windowed(window), 512 * 1000);
    recorder.transfer.Start(recorder.now);
    recorder.Ack(0);
    const std::vector<std::string> first = recorder.Sent();
    const std::vector<std::string> whole(first.begin() + 1, first.end());
    for (int i = 0; i < 5; ++i) recorder.TimeOut();
    recorder.Sent();
    // The next would come after 3.2 s; the client repeats its own after one.
    recorder.now += seconds(1);
    recorder.Ack(0);
    EXPECT_EQ(recorder.Sent(), whole);
    recorder.Ack(0);
    EXPECT_THAT(recorder.Sent(), IsEmpty()) << "twice within a round trip";
    // Who says nothing else is given up all the same, and can't make it any faster than that.
    const TimePoint begin = recorder.now;
    size_t sent = 0;
    while (recorder.transfer.is_open()) {
      recorder.now += milliseconds(10);
      recorder.Ack(0);
      sent += recorder.Sent().size();
      recorder.transfer.OnTimeout(recorder.now);
      ASSERT_LE(recorder.now - begin, seconds(60));
    }
    EXPECT_LE(sent, 600u * window);
    EXPECT_THAT(recorder.transfer.status(), StatusIs(absl::StatusCode::kDeadlineExceeded));
  }
}

// faults.md case 21.
TEST(TransferLossTest, AClientThatFallsSilentGetsEverSmallerWindowsAndAnEnd) {
  Recorder recorder(Windowed(64), 512 * 1000);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  std::vector<size_t> windows = {recorder.Sent().size() - 1};
  while (recorder.transfer.is_open()) {
    recorder.TimeOut();
    const size_t sent = recorder.Sent().size();
    if (sent > 0) windows.push_back(sent);
  }
  EXPECT_THAT(windows, ElementsAre(64, 32, 16, 8, 4, 2, 1, 1, 1, 1, 1));
  EXPECT_LE(recorder.now, kBegin + seconds(61));
  EXPECT_THAT(recorder.transfer.status(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST(TransferLossTest, TheTimerFollowsTheRoundTrip) {
  Recorder recorder(Plain(), 512 * 100);
  recorder.transfer.Start(recorder.now);
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, seconds(1));
  // RFC 6298, 2.2: the first round trip, and four times the half of it.
  recorder.now += milliseconds(80);
  recorder.Ack(1);
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, milliseconds(80 + 4 * 40));
  // 2.3: the variation is 40 ms * 3/4 and a quarter of nothing.
  recorder.now += milliseconds(80);
  recorder.Ack(2);
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, milliseconds(80 + 4 * 30));
  // However steady it is, there is a margin; however long, a bound.
  uint16_t number = 3;
  for (; number < 30; ++number) {
    recorder.now += milliseconds(80);
    recorder.Ack(number);
  }
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, milliseconds(80 + 100));
  for (; number < 60; ++number) {
    recorder.now += seconds(20);
    recorder.Ack(number);
  }
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, seconds(8));
}

// RFC 6298, 3 (Karn) and 5.7.
TEST(TransferLossTest, TheTimerBacksOffUntilAPacketThatWasSentOnceIsAnswered) {
  Recorder recorder(Plain(), 512 * 100);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(1);
  std::vector<int64_t> waits;
  for (int i = 0; i < 8; ++i) {
    const auto wait = recorder.transfer.deadline() - recorder.now;
    waits.push_back(std::chrono::duration_cast<milliseconds>(wait).count());
    recorder.TimeOut();
  }
  EXPECT_THAT(waits, ElementsAre(100, 200, 400, 800, 1600, 3200, 6400, 8000));
  EXPECT_TRUE(recorder.transfer.is_stalled());
  // Nobody knows which of the copies this answers.
  recorder.Ack(2);
  EXPECT_FALSE(recorder.transfer.is_stalled());
  EXPECT_EQ(recorder.transfer.deadline(), recorder.now + seconds(8));
  recorder.Ack(3);
  EXPECT_EQ(recorder.transfer.deadline(), recorder.now + milliseconds(100));
}

TEST(TransferLossTest, TheRoundTripOfAWindowIsThatOfBlocksThatWereSentOnce) {
  Recorder recorder(Windowed(4), 512 * 100);
  recorder.transfer.Start(recorder.now);
  recorder.now += milliseconds(80);
  recorder.Ack(0);
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, milliseconds(80 + 4 * 40));
  // A gap: block 2 was sent once. Blocks 3 and 4 are sent again, 5 and 6 for the first time.
  recorder.now += milliseconds(80);
  recorder.Ack(2);
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, milliseconds(80 + 4 * 30));
  // Block 4 may be the first copy or the second: the wait stays as it was, were it not for the gap.
  recorder.now += milliseconds(1);
  recorder.Ack(4);
  recorder.now += milliseconds(79);
  recorder.Ack(8);
  EXPECT_EQ(recorder.transfer.deadline() - recorder.now, milliseconds(180));
}

// faults.md case 8: what is acknowledged is done.
TEST(TransferLossTest, TheTimeoutThatTheClientAskedForIsTheOneUsed) {
  NegotiatedOptions options = Plain();
  options.timeout = seconds(5);
  options.acknowledged = {{"timeout", "5"}};
  Recorder recorder(options, 5000);
  recorder.transfer.Start(recorder.now);
  EXPECT_EQ(recorder.transfer.deadline(), recorder.now + seconds(5));
  recorder.Ack(0);
  EXPECT_EQ(recorder.transfer.deadline(), recorder.now + seconds(5));
}

TEST(TransferLossTest, ATimeoutBeforeItsTimeDoesNothing) {
  Recorder recorder(Plain(), 5000);
  recorder.transfer.Start(recorder.now);
  recorder.Sent();
  recorder.transfer.OnTimeout(recorder.transfer.deadline() - std::chrono::nanoseconds(1));
  EXPECT_THAT(recorder.Sent(), IsEmpty());
}

TEST(TransferLossTest, AnAcknowledgementOfOldBlocksAfterATimeoutIsBelieved) {
  Recorder recorder(Windowed(4), 512 * 100);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  recorder.Sent();
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), ElementsAre("1", "2"));
  recorder.Ack(4);  // All four had come; only their acknowledgement was lost.
  EXPECT_THAT(recorder.Sent(), ElementsAre("5", "6", "7", "8"));
}

// faults.md cases 13 and 14 together: a gap and a time-out right where the number wraps.
TEST(TransferLossTest, ALossWhereTheNumberWrapsIsFilled) {
  NegotiatedOptions options = Windowed(8, 8);
  Recorder recorder(options, 8 * 70'000);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  for (uint32_t number = 8; number <= 65528; number += 8) {
    recorder.Ack(static_cast<uint16_t>(number));
  }
  recorder.Sent();
  recorder.Ack(65535);  // Block 65536, number 0, was lost.
  EXPECT_THAT(recorder.Sent(),
              ElementsAre("65536", "65537", "65538", "65539", "65540", "65541", "65542", "65543"));
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), ElementsAre("65536", "65537", "65538", "65539"));
  recorder.Ack(65535);
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  recorder.Ack(0);
  EXPECT_EQ(recorder.transfer.acknowledged_blocks(), 65536u);
  recorder.Ack(7);
  EXPECT_EQ(recorder.transfer.acknowledged_blocks(), 65543u);
}

}  // namespace
}  // namespace autopxe::agent::tftp
