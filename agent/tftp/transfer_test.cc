#include "agent/tftp/transfer.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

using TimePoint = Transfer::TimePoint;

constexpr TimePoint kBegin = TimePoint(std::chrono::hours(1000));

std::string Pattern(size_t size) {
  std::string content(size, '\0');
  std::mt19937 random(static_cast<uint32_t>(size));
  for (char& c : content) c = static_cast<char>(random());
  return content;
}

// A transfer whose packets are written down in words: "OACK", "1" for the first block, "ERROR ...".
class Recorder {
 public:
  Recorder(NegotiatedOptions options, size_t size, size_t request_bytes = 40)
      : content_(Pattern(size)),
        block_size_(options.block_size),
        transfer(std::move(options), request_bytes, {},
                 {.send_blocks = [this](uint64_t first,
                                        uint64_t count) { return SendBlocks(first, count); },
                  .send_packet = [this](absl::string_view packet) { SendPacket(packet); }}) {}

  // What was sent since the last call.
  std::vector<std::string> Sent() { return std::exchange(sent_, {}); }

  void Ack(uint16_t number) { transfer.OnAcknowledgement(number, now); }

  // Lets the time-out come.
  void TimeOut() {
    now = transfer.deadline();
    transfer.OnTimeout(now);
  }

  size_t blocks_sent() const { return blocks_sent_; }
  size_t packet_bytes() const { return packet_bytes_; }

 private:
  absl::StatusOr<uint64_t> SendBlocks(uint64_t first, uint64_t count) {
    if (!content_status.ok() && first + count > broken_from) return content_status;
    uint64_t bytes = 0;
    for (uint64_t index = first; index < first + count; ++index) {
      sent_.push_back(absl::StrCat(index + 1));
      ++blocks_sent_;
      const uint64_t offset = index * block_size_;
      EXPECT_LE(offset, content_.size()) << "there is no block " << index;
      const size_t length = std::min<size_t>(block_size_, content_.size() - offset);
      bytes += length;
      if (length < block_size_) break;
    }
    return bytes;
  }

  void SendPacket(absl::string_view bytes) {
    packet_bytes_ += bytes.size();
    const auto packet = ParsePacket(bytes);
    ASSERT_THAT(packet, IsOk());
    if (const auto* error = std::get_if<ErrorPacket>(&*packet)) {
      sent_.push_back(absl::StrCat("ERROR ", error->code, " ", error->text));
    } else if (std::holds_alternative<OptionAcknowledgement>(*packet)) {
      sent_.push_back("OACK");
    } else {
      ADD_FAILURE() << "neither OACK nor ERROR";
    }
  }

  const std::string content_;
  const size_t block_size_;
  std::vector<std::string> sent_;
  size_t blocks_sent_ = 0;
  size_t packet_bytes_ = 0;  // Of those that are no blocks.

 public:
  TimePoint now = kBegin;
  absl::Status content_status;
  uint64_t broken_from = 0;
  Transfer transfer;
};

NegotiatedOptions Plain() { return {}; }

NegotiatedOptions Windowed(uint16_t window, uint16_t block_size = 512) {
  return {.block_size = block_size,
          .window_size = window,
          .timeout = absl::nullopt,
          .acknowledged = {{"windowsize", absl::StrCat(window)}}};
}

TEST(TransferTest, AShortFileGoesOutBlockByBlock) {
  Recorder recorder(Plain(), 1300);
  recorder.transfer.Start(recorder.now);
  EXPECT_THAT(recorder.Sent(), ElementsAre("1"));
  recorder.Ack(1);
  EXPECT_THAT(recorder.Sent(), ElementsAre("2"));
  recorder.Ack(2);
  EXPECT_THAT(recorder.Sent(), ElementsAre("3"));
  EXPECT_EQ(recorder.transfer.acknowledged_bytes(), 1024u);
  recorder.Ack(3);
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  EXPECT_TRUE(recorder.transfer.is_finished());
  EXPECT_THAT(recorder.transfer.status(), IsOk());
  EXPECT_EQ(recorder.transfer.acknowledged_bytes(), 1300u);
}

TEST(TransferTest, AFileOfWholeBlocksEndsWithAnEmptyOne) {
  for (const size_t size : {0u, 512u, 1024u}) {
    Recorder recorder(Plain(), size);
    recorder.transfer.Start(recorder.now);
    for (uint16_t number = 1; number <= size / 512; ++number) recorder.Ack(number);
    EXPECT_TRUE(recorder.transfer.is_open());
    recorder.Ack(static_cast<uint16_t>(size / 512 + 1));
    EXPECT_TRUE(recorder.transfer.is_finished());
    EXPECT_EQ(recorder.transfer.acknowledged_bytes(), size);
    EXPECT_EQ(recorder.blocks_sent(), size / 512 + 1);
  }
}

TEST(TransferTest, WithOptionsTheFirstBlockWaitsForTheAcknowledgementOfTheOack) {
  Recorder recorder(Windowed(4), 512 * 10);
  recorder.transfer.Start(recorder.now);
  EXPECT_THAT(recorder.Sent(), ElementsAre("OACK"));
  recorder.Ack(1);
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  EXPECT_FALSE(recorder.transfer.is_answered());
  recorder.Ack(0);
  EXPECT_THAT(recorder.Sent(), ElementsAre("1", "2", "3", "4"));
  EXPECT_TRUE(recorder.transfer.is_answered());
  recorder.Ack(0);
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  recorder.Ack(4);
  EXPECT_THAT(recorder.Sent(), ElementsAre("5", "6", "7", "8"));
  recorder.Ack(8);
  EXPECT_THAT(recorder.Sent(), ElementsAre("9", "10", "11"));
  recorder.Ack(11);
  EXPECT_TRUE(recorder.transfer.is_finished());
}

// faults.md case 10.
TEST(TransferTest, ADuplicateAcknowledgementSendsNothing) {
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
TEST(TransferTest, AGapInAWindowIsFilledOnce) {
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
TEST(TransferTest, EachGapIsFilledOnceAndWhatIsNoneIsLeftAlone) {
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

TEST(TransferTest, AClientThatAsksAgainAfterATimeoutIsNotLeftWaiting) {
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

// faults.md case 11.
TEST(TransferTest, AnAcknowledgementOfWhatWasNotSentOrIsLongPastIsIgnored) {
  for (const uint16_t bogus : {5, 6, 9, 100, 0x7fff, 0x8000, 0xfffe, 0xffff}) {
    Recorder recorder(Windowed(4), 512 * 100);
    recorder.transfer.Start(recorder.now);
    recorder.Ack(0);
    recorder.Sent();
    recorder.Ack(bogus);
    EXPECT_THAT(recorder.Sent(), IsEmpty()) << bogus;
    EXPECT_EQ(recorder.transfer.acknowledged_blocks(), 0u) << bogus;
    recorder.Ack(4);
    EXPECT_THAT(recorder.Sent(), ElementsAre("5", "6", "7", "8")) << bogus;
    for (const uint16_t past : {0, 1, 3, 4}) recorder.Ack(past);
    EXPECT_THAT(recorder.Sent(), IsEmpty()) << bogus;
    EXPECT_EQ(recorder.transfer.acknowledged_blocks(), 4u) << bogus;
  }
}

// faults.md case 20.
TEST(TransferTest, AnAddressThatNeverAnswersGetsThreePacketsAndIsForgotten) {
  for (const auto timeout : {absl::optional<seconds>(), absl::optional<seconds>(1),
                             absl::optional<seconds>(10), absl::optional<seconds>(30)}) {
    for (NegotiatedOptions options : {Plain(), Windowed(64)}) {
      options.timeout = timeout;
      Recorder recorder(options, 512 * 100);
      recorder.transfer.Start(recorder.now);
      size_t packets = recorder.Sent().size();
      while (recorder.transfer.is_open()) {
        recorder.TimeOut();
        packets += recorder.Sent().size();
      }
      EXPECT_LE(packets, 3u);
      EXPECT_LE(recorder.now, kBegin + seconds(30));
      EXPECT_THAT(recorder.transfer.status(), StatusIs(absl::StatusCode::kDeadlineExceeded));
    }
  }
}

// faults.md case 20: three OACKs can be longer than three such requests, when the file's size is.
TEST(TransferTest, AnAddressThatNeverAnswersGetsAtMostThreeTimesTheBytesOfItsRequest) {
  const std::string size = "18446744073709551615";
  for (const size_t request_bytes : {18, 20, 25, 60}) {
    for (const bool repeat : {false, true}) {
      NegotiatedOptions options;
      options.acknowledged = {{"tsize", size}};
      Recorder recorder(options, 5000, request_bytes);
      recorder.transfer.Start(recorder.now);
      EXPECT_THAT(recorder.Sent(), ElementsAre("OACK")) << request_bytes;
      if (repeat) recorder.transfer.OnRepeatedRequest(recorder.now);
      while (recorder.transfer.is_open()) recorder.TimeOut();
      EXPECT_LE(recorder.packet_bytes(), 3 * request_bytes * (repeat ? 2 : 1)) << request_bytes;
      EXPECT_FALSE(recorder.transfer.is_open());
    }
  }
}

// faults.md case 20: the ERROR of the end counts, too.
TEST(TransferTest, AnErrorIsNoFourthPacketToAnAddressThatNeverAnswered) {
  Recorder recorder(Plain(), 5000);
  recorder.transfer.Start(recorder.now);
  recorder.TimeOut();
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), ElementsAre("1", "1", "1"));
  recorder.transfer.Fail(absl::ResourceExhaustedError("too many transfers"));
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  EXPECT_FALSE(recorder.transfer.is_open());
}

// faults.md case 21.
TEST(TransferTest, AClientThatFallsSilentGetsEverSmallerWindowsAndAnEnd) {
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

TEST(TransferTest, TheTimerFollowsTheRoundTrip) {
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
TEST(TransferTest, TheTimerBacksOffUntilAPacketThatWasSentOnceIsAnswered) {
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

TEST(TransferTest, TheRoundTripOfAWindowIsThatOfBlocksThatWereSentOnce) {
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
TEST(TransferTest, TheTimeoutThatTheClientAskedForIsTheOneUsed) {
  NegotiatedOptions options = Plain();
  options.timeout = seconds(5);
  options.acknowledged = {{"timeout", "5"}};
  Recorder recorder(options, 5000);
  recorder.transfer.Start(recorder.now);
  EXPECT_EQ(recorder.transfer.deadline(), recorder.now + seconds(5));
  recorder.Ack(0);
  EXPECT_EQ(recorder.transfer.deadline(), recorder.now + seconds(5));
}

TEST(TransferTest, ATimeoutBeforeItsTimeDoesNothing) {
  Recorder recorder(Plain(), 5000);
  recorder.transfer.Start(recorder.now);
  recorder.Sent();
  recorder.transfer.OnTimeout(recorder.transfer.deadline() - std::chrono::nanoseconds(1));
  EXPECT_THAT(recorder.Sent(), IsEmpty());
}

TEST(TransferTest, AnAcknowledgementOfOldBlocksAfterATimeoutIsBelieved) {
  Recorder recorder(Windowed(4), 512 * 100);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  recorder.Sent();
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), ElementsAre("1", "2"));
  recorder.Ack(4);  // All four had come; only their acknowledgement was lost.
  EXPECT_THAT(recorder.Sent(), ElementsAre("5", "6", "7", "8"));
}

// faults.md case 16.
TEST(TransferTest, ARepeatedRequestIsAnsweredAgainUntilTheClientHasAnswered) {
  for (const NegotiatedOptions& options : {Plain(), Windowed(4)}) {
    Recorder recorder(options, 5000);
    recorder.transfer.Start(recorder.now);
    const auto answer = recorder.Sent();
    recorder.transfer.OnRepeatedRequest(recorder.now);
    EXPECT_EQ(recorder.Sent(), answer);
    recorder.Ack(options.acknowledged.empty() ? 1 : 0);
    recorder.Sent();
    recorder.transfer.OnRepeatedRequest(recorder.now);
    EXPECT_THAT(recorder.Sent(), IsEmpty());
  }
}

// faults.md case 15.
TEST(TransferTest, GivingUpBeforeTheFirstBlockIsAProbe) {
  Recorder recorder(Windowed(4), 5000);
  recorder.transfer.Start(recorder.now);
  recorder.transfer.OnError({8, "User aborted the transfer"});
  EXPECT_FALSE(recorder.transfer.is_open());
  EXPECT_TRUE(recorder.transfer.was_probe());
}

TEST(TransferTest, AnErrorOfTheClientEndsItAndIsTold) {
  Recorder recorder(Windowed(4), 5000);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  recorder.Sent();
  recorder.transfer.OnError({3, "disk full\n"});
  EXPECT_THAT(recorder.transfer.status(),
              StatusIs(absl::StatusCode::kCancelled, "the peer sent error 3 \"disk full\\n\""));
  EXPECT_FALSE(recorder.transfer.was_probe());
  // An ERROR is never answered, and nothing comes after it.
  recorder.Ack(4);
  recorder.transfer.OnTimeout(recorder.now + seconds(100));
  EXPECT_THAT(recorder.Sent(), IsEmpty());
}

// faults.md case 19.
TEST(TransferTest, ContentThatChangesEndsInAnError) {
  Recorder recorder(Windowed(4), 512 * 5 + 1);
  recorder.transfer.Start(recorder.now);
  recorder.Ack(0);
  recorder.Sent();
  recorder.content_status = absl::DataLossError("the file /secret/path was changed");
  recorder.broken_from = 5;
  recorder.Ack(4);
  EXPECT_THAT(recorder.Sent(),
              ElementsAre("ERROR 0 the file was changed while it was sent; ask again"));
  EXPECT_EQ(recorder.transfer.status(), recorder.content_status);
  EXPECT_FALSE(recorder.transfer.is_finished());
}

TEST(TransferTest, ContentThatCantBeReadAtAllEndsAtTheStart) {
  Recorder recorder(Plain(), 5000);
  recorder.content_status = absl::InternalError("input/output error");
  recorder.transfer.Start(recorder.now);
  EXPECT_THAT(recorder.Sent(), ElementsAre("ERROR 0 the file can't be read"));
  EXPECT_FALSE(recorder.transfer.is_open());
}

// faults.md cases 13 and 14 together: a gap and a time-out right where the number wraps.
TEST(TransferTest, ALossWhereTheNumberWrapsIsFilled) {
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
