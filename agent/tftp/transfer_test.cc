#include "agent/tftp/transfer.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "agent/tftp/test_transfer.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

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
      EXPECT_LE(recorder.now, kBegin + seconds(timeout.has_value() ? 30 : 7));
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

// faults.md case 20: a block is many times as long as a request with an option of no use.
TEST(TransferTest, WhereAllOptionsAreRefusedABlockAnswersEachRequestOnce) {
  NegotiatedOptions options;
  options.all_refused = true;
  Recorder recorder(options, 700);
  recorder.transfer.Start(recorder.now);
  EXPECT_THAT(recorder.Sent(), ElementsAre("1"));
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  recorder.transfer.OnRepeatedRequest(recorder.now);
  EXPECT_THAT(recorder.Sent(), ElementsAre("1"));
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), IsEmpty());
  // Once it is answered, everything is sent as often as it must be.
  recorder.Ack(1);
  EXPECT_THAT(recorder.Sent(), ElementsAre("2"));
  recorder.TimeOut();
  EXPECT_THAT(recorder.Sent(), ElementsAre("2"));
  recorder.Ack(2);
  EXPECT_TRUE(recorder.transfer.is_finished());
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

// What was read together with the request that it answers has an earlier time than its answer.
TEST(TransferTest, AnAnswerThatSeemsToComeBeforeItsQuestionTookNoTime) {
  Recorder recorder(Windowed(4), 512 * 10);
  recorder.transfer.Start(recorder.now);
  EXPECT_THAT(recorder.Sent(), ElementsAre("OACK"));
  recorder.now -= seconds(5);
  recorder.Ack(0);
  EXPECT_EQ(recorder.Sent().size(), 4u);
  EXPECT_GE(recorder.transfer.deadline(), recorder.now + Transfer::Limits().min_margin);
  recorder.Ack(4);
  EXPECT_EQ(recorder.Sent().size(), 4u);
  EXPECT_GE(recorder.transfer.deadline(), recorder.now + Transfer::Limits().min_margin);
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

}  // namespace
}  // namespace autopxe::agent::tftp
