#include <chrono>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "agent/tftp/test_client.h"
#include "agent/tftp/test_server.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using tftp::DataBlock;
using tftp::ErrorPacket;
using tftp::Mode;
using tftp::Option;
using tftp::OptionAcknowledgement;
using tftp::TestClient;

// faults.md case 3.
TEST_F(TftpServerTest, AWriteIsRefusedAtOnce) {
  files_["there"] = "text";
  Start();
  for (const std::string& request :
       {Literal("\0\2new\0octet\0"), Literal("\0\2there\0octet\0"),
        Literal("\0\2there\0netascii\0tsize\0009\0blksize\000512\0")}) {
    TestClient client;
    client.Send(address(), request);
    EXPECT_EQ(Expect<ErrorPacket>(client.Receive()),
              (ErrorPacket{2, "this server takes no files"}));
  }
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("path=new result=write-refused"));
}

// faults.md case 4.
TEST_F(TftpServerTest, ABrokenRequestGetsErrorFourAndGarbageNothing) {
  Start();
  TestClient client;
  const std::string garbage[] = {
      "",
      Literal("\0"),
      Literal("\0\0\0"),
      Literal("\0\3\0\1data"),
      Literal("\0\4\0\1"),
      Literal("\0\5\0\1error\0"),
      Literal("\0\6tsize\0000\0"),
      Literal("\0\11abc\0octet\0"),
      Literal("\0\377abc\0octet\0"),
      std::string(2000, '\xff'),
  };
  for (const std::string& bytes : garbage) {
    client.Send(address(), bytes);
    ExpectNextAnswerIsToAWrite(client);
  }
  std::string options = Literal("\0\1a\0octet\0");
  for (int i = 0; i < 200; ++i) options += Literal("x\0y\0");
  const std::string broken[] = {
      Literal("\0\1"),
      Literal("\0\1a"),
      Literal("\0\1a\0"),
      Literal("\0\1a\0octet"),
      Literal("\0\1a\0octet\0blksize\0"),
      Literal("\0\1") + std::string(4000, 'a') + Literal("\0octet\0"),
      options,
      // Case 18.
      Literal("\0\1a\0mail\0"),
      Literal("\0\1a\0\x1b[2J\0"),
  };
  for (const std::string& bytes : broken) {
    client.Send(address(), bytes);
    EXPECT_EQ(Expect<ErrorPacket>(client.Receive()).code, 4) << absl::CHexEscape(bytes);
  }
  Settle();
  EXPECT_THAT(log_.Text(), AllOf(HasSubstr("result=malformed"), Not(HasSubstr("\x1b"))));
}

// faults.md cases 5, 6, 7, 8 and 9: what the options' own tests say is what goes over the wire.
TEST_F(TftpServerTest, OnlyValidOptionsAreAcknowledged) {
  files_["file"] = Pattern(1234);
  Start();
  const struct {
    std::vector<Option> asked;
    std::vector<Option> acknowledged;
  } cases[] = {
      {{{"blksize", "1"}, {"tsize", "999999"}}, {{"tsize", "1234"}}},
      {{{"blksize", "-1"}, {"windowsize", "65535"}}, {{"windowsize", "64"}}},
      {{{"timeout", "0"}, {"BLKSIZE", "1024"}, {"x", "y"}}, {{"BLKSIZE", "1024"}}},
      {{{"blksize", "512"}, {"blksize", "1024"}, {"timeout", "1"}}, {{"timeout", "1"}}},
  };
  for (const auto& test : cases) {
    TestClient client;
    client.Ask(address(), Octet("file", test.asked));
    const auto answer = client.Receive();
    EXPECT_EQ(Expect<OptionAcknowledgement>(answer).options, test.acknowledged);
    client.Send(answer->from, Literal("\0\5\0\0\0"));
  }
  // No OACK where no option is accepted: the file begins at once.
  TestClient client;
  client.Ask(address(), Octet("file", {{"blksize", "7"}, {"windowsize", "0"}, {"tsize", "x"}}));
  const auto answer = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(answer), (DataBlock{1, Pattern(1234).substr(0, 512)}));
  client.Send(answer->from, Literal("\0\5\0\0\0"));
  Settle();
}

// faults.md case 12.
TEST_F(TftpServerTest, AnIntruderIsToldAndDoesNotDisturb) {
  files_["file"] = Pattern(1300);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  auto answer = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(answer).number, 1);
  for (const char* from : {"127.0.0.1", "127.0.0.2"}) {
    TestClient intruder(from);
    for (const std::string& bytes :
         {tftp::BuildAcknowledgement(1), Literal("\0\5\0\0stop\0"), Literal("garbage")}) {
      intruder.Send(answer->from, bytes);
      EXPECT_EQ(Expect<ErrorPacket>(intruder.Receive()).code, 5);
    }
  }
  client.Acknowledge(answer->from, 1);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 2);
  client.Acknowledge(answer->from, 2);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()), (DataBlock{3, Pattern(1300).substr(1024)}));
  client.Acknowledge(answer->from, 3);
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("result=menu bytes=1300"));
}

// An ERROR would be longer than three times nothing.
TEST_F(TftpServerTest, WhatIsTooShortToBeAnsweredIsNot) {
  files_["file"] = Pattern(700);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  const auto answer = client.Receive();
  ASSERT_THAT(answer, IsOk());
  TestClient intruder;
  for (const std::string& bytes : {Literal(""), Literal("\4")}) {
    intruder.Send(answer->from, bytes);
  }
  intruder.Send(answer->from, Literal("garbage"));
  // The first that comes is the last one's: its text has the length that this allows.
  EXPECT_EQ(Expect<ErrorPacket>(intruder.Receive()).text, "unknown transfer");
  client.Send(answer->from, Literal("\0\5\0\0\0"));
}

// Two servers that take each other for an intruder must not talk for ever.
TEST_F(TftpServerTest, AnIntruderThatGoesOnIsIgnored) {
  files_["file"] = Pattern(1300);
  Start();
  TestClient client;
  TestClient intruder;
  client.Ask(address(), Octet("file"));
  const auto answer = client.Receive();
  ASSERT_THAT(answer, IsOk());
  int errors = 0;
  for (int i = 0; i < 100; ++i) intruder.Send(answer->from, Literal("\0\5\0\5\0"));
  // Its packets were dealt with before the client's.
  client.Acknowledge(answer->from, 1);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 2);
  ExpectNextAnswerIsToAWrite(client);
  intruder.Send(address(), Literal("\0\2x\0octet\0"));
  while (Expect<ErrorPacket>(intruder.Receive()).code == 5) ++errors;
  EXPECT_GT(errors, 0);
  EXPECT_LE(errors, 16);
  client.Send(answer->from, Literal("\0\5\0\0\0"));
}

// faults.md case 15, with the bytes of OVMF's request; its second one comes from the next port,
// other firmware's from the same.
TEST_F(TftpServerTest, TheProbeForTheSizeIsNotAnError) {
  files_["snponly.efi"] = Pattern(173792);
  Start();
  TestClient first;
  TestClient second;
  for (TestClient* const again : {&first, &second}) {
    first.Send(address(), absl::HexStringToBytes(
                              "0001736e706f6e6c792e656669006f63746574007473697a65003000626c6b73"
                              "697a6500313436380077696e646f7773697a65003400"));
    const auto answer = first.Receive();
    EXPECT_THAT(Expect<OptionAcknowledgement>(answer).options,
                ElementsAre(Option{"tsize", "173792"}, Option{"blksize", "1468"},
                            Option{"windowsize", "4"}));
    first.Send(answer->from, absl::HexStringToBytes(
                                 "00050008557365722061626f7274656420746865207472616e7366657200"));
    EXPECT_THAT(
        again->Fetch(address(), Octet("snponly.efi", {{"blksize", "1468"}, {"windowsize", "4"}})),
        IsOkAndHolds(Pattern(173792)));
  }
  Settle();
  EXPECT_THAT(log_.Text(),
              AllOf(HasSubstr("result=probe bytes=0"), HasSubstr("result=menu bytes=173792"),
                    Not(HasSubstr("warning event=request")), Not(HasSubstr("error"))));
}

// faults.md case 15: the ERROR of the probe may be lost, or come after the second request.
TEST_F(TftpServerTest, ANewRequestFromTheSamePortTakesThePlaceOfTheOld) {
  files_["file"] = Pattern(3000);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file", {{"tsize", "0"}}));
  const auto probe = client.Receive();
  EXPECT_EQ(Expect<OptionAcknowledgement>(probe).options.size(), 1u);
  EXPECT_THAT(client.Fetch(address(), Octet("file", {{"blksize", "1468"}})),
              IsOkAndHolds(Pattern(3000)));
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("result=superseded bytes=0"));
}

// faults.md case 16.
TEST_F(TftpServerTest, TheSameRequestAgainIsTheSameTransferAnsweredAgain) {
  files_["file"] = "text";
  for (const std::vector<Option>& options : {std::vector<Option>{}, {{"tsize", "0"}}}) {
    if (server_ == nullptr) Start();
    TestClient client;
    client.Ask(address(), Octet("file", options));
    client.Ask(address(), Octet("file", options));
    const auto first = client.Receive();
    const auto second = client.Receive();
    ASSERT_THAT(first, IsOk());
    ASSERT_THAT(second, IsOk());
    EXPECT_EQ(first->from, second->from);
    EXPECT_EQ(first->packet, second->packet);
    if (!options.empty()) {
      client.Acknowledge(first->from, 0);
      EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 1);
      // A late copy, while the transfer goes on.
      client.Ask(address(), Octet("file", options));
      ExpectNextAnswerIsToAWrite(client);
    }
    client.Acknowledge(first->from, 1);
  }
  Stop();
  EXPECT_EQ(requests_.size(), 2u);
}

// faults.md case 16: the client has lost sight of the one that began, as after a reset.
TEST_F(TftpServerTest, TheSameRequestAfterASilenceBeginsAnew) {
  options_.limits.transfer.min_margin = std::chrono::milliseconds(5);
  files_["file"] = Pattern(700);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  const auto first = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(first).number, 1);
  client.Acknowledge(first->from, 1);
  // It is silent once the second block has come twice.
  for (int seconds = 0; seconds < 2;) seconds += Expect<DataBlock>(client.Receive()).number == 2;
  client.Ask(address(), Octet("file"));
  auto again = client.Receive();
  while (again.ok() && again->from == first->from) again = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(again).number, 1);
  client.Send(again->from, Literal("\0\5\0\0\0"));
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("result=superseded bytes=512"));
}

// faults.md case 18.
TEST_F(TftpServerTest, NetasciiHasTheLineEndsOfTheWire) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += absl::StrCat("line ", i, "\n");
  files_["text"] = text;
  files_["returns"] = "a\rb";
  Start();
  TestClient client;
  for (const std::vector<Option>& options :
       {std::vector<Option>{}, {{"blksize", "1001"}, {"windowsize", "8"}, {"tsize", "0"}}}) {
    EXPECT_THAT(client.Fetch(address(), {"text", Mode::kNetascii, options}),
                IsOkAndHolds(absl::StrReplaceAll(text, {{"\n", "\r\n"}})));
  }
  EXPECT_THAT(client.Fetch(address(), {"returns", Mode::kNetascii, {}}),
              IsOkAndHolds(Literal("a\r\0b")));
}

// faults.md case 20: what the transfer's own test says, with the loop's timers.
TEST_F(TftpServerTest, ASilentClientIsForgotten) {
  options_.limits.transfer.timeout = std::chrono::milliseconds(5);
  files_["file"] = Pattern(5000);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file", {{"blksize", "1024"}}));
  for (int i = 0; i < 3; ++i) Expect<OptionAcknowledgement>(client.Receive());
  WaitForLog("result=timeout");
  ExpectNextAnswerIsToAWrite(client);
  EXPECT_THAT(log_.Text(),
              AllOf(HasSubstr("info event=request"), HasSubstr("error=\"the peer never answered\""),
                    Not(HasSubstr("warning event=request"))));
}

// One that had answered and then fell silent is worth a warning.
TEST_F(TftpServerTest, AClientThatStopsAnsweringIsWarnedOf) {
  options_.limits.transfer.min_margin = std::chrono::milliseconds(1);
  options_.limits.transfer.max_timeout = std::chrono::milliseconds(2);
  files_["file"] = Pattern(5000);
  Start();
  TestClient client;
  BeginFile(client);
  WaitForLog("error=\"the peer stopped answering\"");
  EXPECT_THAT(log_.Text(), HasSubstr("warning event=request"));
}

// faults.md case 20: a refusal is no amplifier either.
TEST_F(TftpServerTest, ARefusalIsAtMostThreeTimesAsLongAsARequestWithOptions) {
  const std::string text(150, 'x');
  refusals_["a"] = absl::NotFoundError(text);
  Start();
  TestClient client;
  EXPECT_THAT(client.Fetch(address(), Octet("a")),
              StatusIs(absl::StatusCode::kAborted, absl::StrCat("1 ", text)));
  // 18 bytes; an ERROR has 5 beside its text.
  EXPECT_THAT(client.Fetch(address(), Octet("a", {{"tsize", "0"}})),
              StatusIs(absl::StatusCode::kAborted, absl::StrCat("1 ", text.substr(0, 3 * 18 - 5))));
}

TEST_F(TftpServerTest, ALostPacketIsSentAgain) {
  options_.limits.transfer.timeout = std::chrono::milliseconds(5);
  options_.limits.transfer.min_margin = std::chrono::milliseconds(5);
  files_["file"] = Pattern(700);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 1);
  const auto again = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(again).number, 1);
  client.Acknowledge(again->from, 1);
  DataBlock block;
  do {
    block = Expect<DataBlock>(client.Receive());
  } while (block.number == 1);
  EXPECT_EQ(block.number, 2);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 2);
  client.Acknowledge(again->from, 2);
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("bytes=700"));
}

}  // namespace
}  // namespace autopxe::agent
