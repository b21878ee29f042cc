#include "agent/tftp/server.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "agent/tftp/test_client.h"
#include "agent/tftp/test_server.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using tftp::DataBlock;
using tftp::ErrorPacket;
using tftp::Option;
using tftp::OptionAcknowledgement;
using tftp::TestClient;

TEST_F(TftpServerTest, AFileIsReadInEveryWayThatClientsAskForIt) {
  const std::vector<std::vector<Option>> ways = {
      {},
      {{"blksize", "1432"}, {"tsize", "0"}},
      {{"blksize", "1468"}, {"windowsize", "4"}},
      {{"blksize", "65464"}, {"windowsize", "64"}},
      {{"blksize", "8"}},
      {{"windowsize", "64"}, {"timeout", "1"}},
  };
  for (const size_t size : {0u, 1u, 511u, 512u, 513u, 100'000u}) {
    files_[absl::StrCat("text", size)] = Pattern(size);
    disk_files_[absl::StrCat("file", size)] =
        WriteFile(absl::StrCat("every-way-", size), Pattern(size));
  }
  Start();
  for (const auto& way : ways) {
    for (const size_t size : {0u, 1u, 511u, 512u, 513u, 100'000u}) {
      TestClient client;
      EXPECT_THAT(client.Fetch(address(), Octet(absl::StrCat("text", size), way)),
                  IsOkAndHolds(Pattern(size)));
      EXPECT_THAT(client.Fetch(address(), Octet(absl::StrCat("file", size), way)),
                  IsOkAndHolds(Pattern(size)));
    }
  }
}

TEST_F(TftpServerTest, ATransferThatBeginsIsAFetchAndARefusalIsNone) {
  files_["kernel"] = "kernel";
  refusals_["busy"] = absl::UnavailableError("busy");
  Start();
  TestClient client;
  ASSERT_THAT(client.Fetch(address(), Octet("kernel")), IsOk());
  EXPECT_FALSE(client.Fetch(address(), Octet("busy")).ok());
  EXPECT_FALSE(client.Fetch(address(), Octet("none")).ok());
  Settle();
  Stop();
  EXPECT_EQ(fetches_, 1);
}

TEST_F(TftpServerTest, OneLineTellsOfAFinishedRequest) {
  files_["autopxe-525400123456"] = "#!ipxe\n";
  Start();
  TestClient client;
  ASSERT_THAT(client.Fetch(address(), Octet("autopxe-525400123456")), IsOk());
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr(absl::StrCat(
                               "info event=request protocol=tftp host=52:54:00:12:34:56 client=",
                               client.endpoint().Format(),
                               " path=autopxe-525400123456 result=menu bytes=7 duration_ms=")));
  EXPECT_THAT(log_.Text(), HasSubstr(absl::StrCat("info event=listening protocol=tftp address=",
                                                  server_->endpoints()[0].Format(), "\n")));
}

// faults.md cases 1 and 17.
TEST_F(TftpServerTest, ARefusalIsAnErrorAtOnceWithTheResolversText) {
  refusals_["../../etc/passwd"] = absl::InvalidArgumentError("\"../../etc/passwd\": not a path");
  refusals_["busy"] = absl::UnavailableError("\"busy\" can't be read now");
  Start();
  TestClient client;
  EXPECT_THAT(client.Fetch(address(), Octet("grub/x86_64-efi/command.lst")),
              StatusIs(absl::StatusCode::kAborted, "1 no such file"));
  EXPECT_THAT(client.Fetch(address(), Octet("../../etc/passwd")),
              StatusIs(absl::StatusCode::kAborted, "2 \"../../etc/passwd\": not a path"));
  EXPECT_THAT(client.Fetch(address(), Octet("busy", {{"tsize", "0"}})),
              StatusIs(absl::StatusCode::kAborted, "0 \"busy\" can't be read now"));
  Settle();
  EXPECT_THAT(log_.Text(), AllOf(HasSubstr("path=grub/x86_64-efi/command.lst result=not-found"),
                                 HasSubstr("path=../../etc/passwd result=refused"),
                                 HasSubstr("path=busy result=unavailable")));
}

// faults.md case 1: the resolver decides on the path as it was sent, nothing is decoded or cut
// here.
TEST_F(TftpServerTest, ThePathReachesTheResolverAsItWasSent) {
  const std::string paths[] = {"/etc/passwd", "boot/../../..", "..\\..\\x", "%2e%2e/x",
                               "a//b",        "\x1b[2J%n",     "\xff"};
  Start();
  TestClient client;
  for (const std::string& path : paths) {
    EXPECT_THAT(client.Fetch(address(), Octet(path)), StatusIs(absl::StatusCode::kAborted));
  }
  // Behind a NUL there is no path any more.
  client.Send(address(), Literal("\0\1a\0octet\0/../../etc/passwd\0\0"));
  EXPECT_EQ(Expect<ErrorPacket>(client.Receive()).code, 1);
  Stop();
  ASSERT_EQ(requests_.size(), std::size(paths) + 1);
  for (size_t i = 0; i < std::size(paths); ++i) EXPECT_EQ(requests_[i].path, paths[i]);
  EXPECT_EQ(requests_.back().path, "a");
}

// faults.md case 4: no name can add a line to the log, or a terminal's escape sequence.
TEST_F(TftpServerTest, ANameIsEscapedInTheLog) {
  Start();
  TestClient client;
  EXPECT_THAT(client.Fetch(address(), Octet("\x1b[2J\nevent=request%n\xff")),
              StatusIs(absl::StatusCode::kAborted));
  Settle();
  EXPECT_THAT(log_.Text(), AllOf(HasSubstr("path=\"\\x1b[2J\\x0aevent=request%n\\xff\""),
                                 Not(HasSubstr("\x1b"))));
}

// faults.md case 13.
TEST_F(TftpServerTest, AFileOfMoreThan65535BlocksIsIdentical) {
  const std::string content = Pattern(8 * 66'000 + 5);
  disk_files_["large"] = WriteFile("large", content);
  Start();
  TestClient client;
  const auto fetched =
      client.Fetch(address(), Octet("large", {{"blksize", "8"}, {"windowsize", "64"}}));
  ASSERT_THAT(fetched, IsOk());
  EXPECT_TRUE(*fetched == content);
}

// faults.md cases 2 and 19.
TEST_F(TftpServerTest, AFileThatIsReplacedOrDeletedMeanwhileIsSentAsItWas) {
  for (const bool replace : {true, false}) {
    const std::string path = WriteFile("served", Pattern(1300));
    if (server_ == nullptr) {
      disk_files_["file"] = path;
      Start();
    }
    TestClient client;
    client.Ask(address(), Octet("file", {{"blksize", "1000"}}));
    const auto answer = client.Receive();
    Expect<OptionAcknowledgement>(answer);
    if (replace) {
      // What the path names now is something else altogether.
      ASSERT_EQ(symlink("/etc/passwd", (path + ".new").c_str()), 0);
      ASSERT_EQ(rename((path + ".new").c_str(), path.c_str()), 0);
    }
    ASSERT_EQ(unlink(path.c_str()), 0);
    client.Acknowledge(answer->from, 0);
    EXPECT_EQ(Expect<DataBlock>(client.Receive()), (DataBlock{1, Pattern(1300).substr(0, 1000)}));
    client.Acknowledge(answer->from, 1);
    EXPECT_EQ(Expect<DataBlock>(client.Receive()), (DataBlock{2, Pattern(1300).substr(1000)}));
    client.Acknowledge(answer->from, 2);
  }
  Settle();
}

// faults.md case 19.
TEST_F(TftpServerTest, AFileThatIsWrittenToMeanwhileEndsInAnErrorAndAWarning) {
  for (const bool shorten : {true, false}) {
    const std::string path = WriteFile("written", Pattern(1300));
    if (server_ == nullptr) {
      disk_files_["file"] = path;
      Start();
    }
    TestClient client;
    client.Ask(address(), Octet("file", {{"blksize", "1000"}}));
    const auto answer = client.Receive();
    Expect<OptionAcknowledgement>(answer);
    client.Acknowledge(answer->from, 0);
    EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 1);
    if (shorten) {
      ASSERT_EQ(truncate(path.c_str(), 10), 0);
    } else {
      WriteFile("written", Pattern(1301));
    }
    client.Acknowledge(answer->from, 1);
    EXPECT_THAT(Expect<ErrorPacket>(client.Receive()).text, HasSubstr("was changed"));
  }
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("result=changed bytes=1000"));
  EXPECT_THAT(log_.Text(), HasSubstr("warning event=request"));
}

TEST_F(TftpServerTest, AnIgnoredHostGetsNoAnswerAtAll) {
  refusals_["autopxe-525400123456"] = absl::PermissionDeniedError("ignored");
  Start();
  TestClient client;
  client.Ask(address(), Octet("autopxe-525400123456", {{"blksize", "1432"}, {"tsize", "0"}}));
  ExpectNextAnswerIsToAWrite(client);
  Settle();
  EXPECT_THAT(log_.Text(), HasSubstr("path=autopxe-525400123456 result=ignored"));
}

TEST_F(TftpServerTest, IpxeIsToldApartFromTheFirmware) {
  files_["ipxe.efi"] = "x";
  Start();
  TestClient client;
  ASSERT_THAT(client.Fetch(address(), Octet("ipxe.efi", {{"blksize", "1432"}, {"tsize", "0"}})),
              IsOk());
  ASSERT_THAT(client.Fetch(address(), Octet("ipxe.efi", {{"tsize", "0"}, {"blksize", "1432"}})),
              IsOk());
  Stop();
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_TRUE(requests_[0].from_ipxe);
  EXPECT_FALSE(requests_[1].from_ipxe);
}

TEST_F(TftpServerTest, TheAddressThatWasAskedIsKnownAndAnswers) {
  options_.listen = {*IpEndpoint::Parse("0.0.0.0:0")};
  files_["file"] = "text";
  Start();
  const IpEndpoint asked = {*IpAddress::Parse("127.0.0.2"), address().port};
  TestClient client;
  for (const char* path : {"file", "missing"}) {
    client.Ask(asked, Octet(path));
    const auto answer = client.Receive();
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->from.address, asked.address) << path;
    client.Acknowledge(answer->from, 1);
  }
  Stop();
  ASSERT_EQ(requests_.size(), 2u);
  EXPECT_EQ(requests_[0].asked_at, asked.address);
}

TEST_F(TftpServerTest, Ipv6IsServedToo) {
  const IpEndpoint loopback = *IpEndpoint::Parse("[::1]:0");
  options_.listen.push_back(loopback);
  files_["file"] = Pattern(5000);
  Start();
  TestClient client("::1");
  EXPECT_THAT(client.Fetch(server_->endpoints()[1], Octet("file")), IsOkAndHolds(Pattern(5000)));
}

TEST_F(TftpServerTest, DrainingLetsOpenTransfersEndAndTakesNoMore) {
  files_["file"] = Pattern(700);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  const auto answer = client.Receive();
  ASSERT_THAT(answer, IsOk());
  EXPECT_EQ(server_->Drain(absl::ZeroDuration()), 1u);
  client.Acknowledge(answer->from, 1);
  const auto last = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(last), (DataBlock{2, Pattern(700).substr(512)}));
  client.Acknowledge(last->from, 2);
  EXPECT_EQ(server_->Drain(absl::Seconds(30)), 0u);
  // Nobody listens any more: the port can be had.
  EXPECT_THAT(UdpSocket::Open(address()), IsOk());
}

TEST_F(TftpServerTest, APortThatIsTakenIsSaidByName) {
  Start();
  TftpServer::Options options;
  options.listen = {address()};
  auto other_loop = EventLoop::Open();
  ASSERT_THAT(other_loop, IsOk());
  const auto second = TftpServer::Open(**other_loop, options, nullptr);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr(address().Format()));
}

}  // namespace
}  // namespace autopxe::agent
