#include "bench/tftp_read.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::bench {
namespace {

using testing::HasSubstr;

std::string Number(int number) {
  return {static_cast<char>(number >> 8 & 0xff), static_cast<char>(number & 0xff)};
}
std::string Data(int number, absl::string_view payload) {
  return absl::StrCat(Number(3), Number(number), payload);
}
std::string Ack(int number) { return Number(4) + Number(number); }
std::string Text(absl::string_view text) { return absl::StrCat(text, absl::string_view("\0", 1)); }
std::string Granted(absl::string_view name, absl::string_view value) {
  return absl::StrCat(Number(6), Text(name), Text(value));
}

class TftpReadTest : public testing::Test {
 protected:
  TftpRead New(const TftpRead::Options& options = {}) {
    return TftpRead("file", options, &reference_);
  }

  const TftpRead::TimePoint now_;
  Reference reference_{std::string(1024, 'a') + std::string(10, 'b')};
};

TEST_F(TftpReadTest, ReadsBlockByBlock) {
  TftpRead read = New();
  EXPECT_EQ(read.Start(now_), Number(1) + Text("file") + Text("octet"));
  EXPECT_EQ(read.OnPacket(Data(1, std::string(512, 'a')), now_), Ack(1));
  EXPECT_EQ(read.OnPacket(Data(2, std::string(512, 'a')), now_), Ack(2));
  EXPECT_EQ(read.OnPacket(Data(3, std::string(10, 'b')), now_), Ack(3));
  ASSERT_FALSE(read.is_open());
  EXPECT_THAT(read.status(), IsOk());
  EXPECT_EQ(read.bytes(), 1034u);
}

TEST_F(TftpReadTest, AsksForOptionsAndAcknowledgesAWindowAtItsEnd) {
  TftpRead read = New({.block_size = 600, .window_size = 2, .ask_size = true});
  EXPECT_EQ(read.Start(now_), Number(1) + Text("file") + Text("octet") + Text("blksize") +
                                  Text("600") + Text("windowsize") + Text("2") + Text("tsize") +
                                  Text("0"));
  EXPECT_EQ(read.OnPacket(Granted("BLKSIZE", "512") + Text("windowsize") + Text("2") +
                              Text("tsize") + Text("1034"),
                          now_),
            Ack(0));
  EXPECT_EQ(read.OnPacket(Data(1, std::string(512, 'a')), now_), "");
  EXPECT_EQ(read.OnPacket(Data(2, std::string(512, 'a')), now_), Ack(2));
  EXPECT_EQ(read.OnPacket(Data(3, std::string(10, 'b')), now_), Ack(3));
  EXPECT_FALSE(read.is_open());
}

TEST_F(TftpReadTest, TellsOfAGapOnceForEachPass) {
  reference_ = Reference();
  TftpRead read = New({.block_size = 8, .window_size = 4});
  read.Start(now_);
  read.OnPacket(Granted("blksize", "8") + Text("windowsize") + Text("4"), now_);
  EXPECT_EQ(read.OnPacket(Data(1, "12345678"), now_), "");
  // Without block 2.
  EXPECT_EQ(read.OnPacket(Data(3, "12345678"), now_), Ack(1));
  EXPECT_EQ(read.OnPacket(Data(4, "12345678"), now_), "");
  // Sent again, and lost again.
  EXPECT_EQ(read.OnPacket(Data(3, "12345678"), now_), Ack(1));
  EXPECT_EQ(read.OnPacket(Data(2, "12345678"), now_), "");
  EXPECT_EQ(read.repeated(), 0u);
}

TEST_F(TftpReadTest, AnswersWhatComesTwice) {
  TftpRead read = New({.block_size = 512});
  read.Start(now_);
  EXPECT_EQ(read.OnPacket(Granted("blksize", "512"), now_), Ack(0));
  EXPECT_EQ(read.OnPacket(Granted("blksize", "512"), now_), Ack(0));
  EXPECT_EQ(read.OnPacket(Data(1, std::string(512, 'a')), now_), Ack(1));
  EXPECT_EQ(read.OnPacket(Data(1, std::string(512, 'a')), now_), Ack(1));
  EXPECT_EQ(read.OnPacket(Granted("blksize", "512"), now_), "");
  EXPECT_EQ(read.repeated(), 3u);
}

TEST_F(TftpReadTest, RepeatsItsLastPacketAndGivesUp) {
  TftpRead read = New({.timeout = std::chrono::seconds(1), .repetitions = 2});
  const std::string request(read.Start(now_));
  EXPECT_EQ(read.OnTimeout(now_), "");
  EXPECT_EQ(read.OnTimeout(read.deadline()), request);
  EXPECT_EQ(read.OnPacket(Data(1, std::string(512, 'a')), now_), Ack(1));
  EXPECT_EQ(read.OnTimeout(read.deadline()), Ack(1));
  EXPECT_EQ(read.OnTimeout(read.deadline()), Ack(1));
  EXPECT_EQ(read.resent(), 3u);
  EXPECT_EQ(read.OnTimeout(read.deadline()), "");
  ASSERT_FALSE(read.is_open());
  EXPECT_THAT(read.status(), StatusIs(absl::StatusCode::kDeadlineExceeded));
}

TEST_F(TftpReadTest, FailsOnWhatIsNotTheReference) {
  struct Case {
    std::string packet;
    std::string says;
  };
  const Case cases[] = {
      {Data(1, std::string(511, 'a')), "ended after 511 bytes"},
      {Data(1, std::string(511, 'a') + "b"), "block 1"},
      {Data(1, std::string(513, 'a')), "block 1"},
      {Granted("blksize", "513"), "granted"},
      {Granted("blksize", "7"), "granted"},
      {Granted("windowsize", "1"), "granted"},
      {Granted("tsize", "1033"), "granted"},
      {Granted("tsize", "-1"), "without a number"},
      {Number(6) + "blksize", "without a number"},
      {Number(9) + Number(0), "opcode 9"},
      {Number(3), "2 bytes"},
  };
  for (const Case& c : cases) {
    TftpRead read = New({.block_size = 512, .ask_size = true});
    read.Start(now_);
    EXPECT_EQ(read.OnPacket(c.packet, now_).substr(0, 2), Number(5)) << c.says;
    ASSERT_FALSE(read.is_open()) << c.says;
    EXPECT_THAT(read.status(), StatusIs(absl::StatusCode::kDataLoss, HasSubstr(c.says)));
  }
}

TEST_F(TftpReadTest, AnErrorOfTheServerEndsIt) {
  TftpRead read = New();
  read.Start(now_);
  EXPECT_EQ(read.OnPacket(Number(5) + Number(1) + Text("no such file"), now_), "");
  ASSERT_FALSE(read.is_open());
  EXPECT_THAT(read.status(), StatusIs(absl::StatusCode::kAborted, HasSubstr("1 no such file")));
}

TEST_F(TftpReadTest, AServerThatForgotTheTransferMayBeAskedAgain) {
  TftpRead read = New();
  read.Start(now_);
  EXPECT_EQ(read.OnPacket(Number(5) + Number(5) + Text("unknown transfer id"), now_), "");
  ASSERT_FALSE(read.is_open());
  EXPECT_THAT(read.status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(TftpReadTest, BlockNumbersWrap) {
  reference_ = Reference();
  TftpRead read = New({.block_size = 8});
  read.Start(now_);
  read.OnPacket(Granted("blksize", "8"), now_);
  for (int i = 1; i <= 65'537; ++i) {
    ASSERT_EQ(read.OnPacket(Data(i & 0xffff, "12345678"), now_), Ack(i & 0xffff));
  }
  EXPECT_EQ(read.OnPacket(Data(2, ""), now_), Ack(2));
  ASSERT_FALSE(read.is_open());
  EXPECT_EQ(read.bytes(), 8u * 65'537);
}

}  // namespace
}  // namespace autopxe::bench
