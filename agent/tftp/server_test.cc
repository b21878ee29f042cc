#include "agent/tftp/server.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/notification.h"
#include "agent/tftp/test_client.h"
#include "common/runtime/captured_log.h"
#include "common/status/status_macros.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

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
using tftp::ReadRequest;
using tftp::TestClient;

template <size_t size>
std::string Literal(const char (&text)[size]) {
  return std::string(text, size - 1);
}

std::string Pattern(size_t size) {
  std::string content(size, '\0');
  std::mt19937 random(static_cast<uint32_t>(size));
  for (char& c : content) c = static_cast<char>(random());
  return content;
}

ReadRequest Octet(std::string path, std::vector<Option> options = {}) {
  return {std::move(path), Mode::kOctet, std::move(options)};
}

// A server on the loopback with a loop of its own; what it serves is in `files`.
class TftpServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto loop = EventLoop::Open();
    ASSERT_THAT(loop, IsOk());
    loop_ = *std::move(loop);
    options_.listen = {*IpEndpoint::Parse("127.0.0.1:0")};
  }

  void TearDown() override { Stop(); }

  void Start() {
    auto server =
        TftpServer::Open(*loop_, options_, [this](const ContentRequest& r) { return Resolve(r); });
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    thread_ = std::thread([this] { loop_->Run(); });
  }

  void Stop() {
    if (thread_.joinable()) {
      loop_->Stop();
      thread_.join();
    }
    server_ = nullptr;
  }

  const IpEndpoint& address() const { return server_->endpoints()[0]; }

  // Waits until everything that has come is done; the transfers too.
  void Settle() { ASSERT_EQ(server_->Drain(absl::Seconds(30)), 0u); }

  // An answer that shows that what `client` had sent to the same port before was dealt with:
  // packets stay in order on the loopback.
  void ExpectNextAnswerIsToAWrite(TestClient& client) {
    client.Send(address(), Literal("\0\2x\0octet\0"));
    const auto answer = client.Receive();
    ASSERT_THAT(answer, IsOk());
    ASSERT_TRUE(std::holds_alternative<ErrorPacket>(answer->packet)) << answer->packet.index();
    EXPECT_EQ(std::get<ErrorPacket>(answer->packet).code, 2);
  }

  std::string WriteFile(const std::string& name, const std::string& text) {
    const std::string path = absl::StrCat(testing::TempDir(), "/", name);
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  // Both may be changed before Start() only.
  TftpServer::Options options_;
  std::map<std::string, std::string> files_;       // Path -> text.
  std::map<std::string, std::string> disk_files_;  // Path -> where it is on disk.
  std::map<std::string, absl::Status> refusals_;   // Path -> why.

  CapturedLog log_;
  std::vector<ContentRequest> requests_;  // Written by the loop's thread: read it after Stop().
  std::unique_ptr<EventLoop> loop_;
  std::unique_ptr<TftpServer> server_;
  std::thread thread_;

 private:
  absl::StatusOr<ResolvedContent> Resolve(const ContentRequest& request) {
    requests_.push_back(request);
    if (const auto file = files_.find(request.path); file != files_.end()) {
      return ResolvedContent{.content = Content::FromText(file->second),
                             .path = request.path,
                             .host = MacAddress::FromOctets({0x52, 0x54, 0, 0x12, 0x34, 0x56}),
                             .result = "menu"};
    }
    if (const auto file = disk_files_.find(request.path); file != disk_files_.end()) {
      ASSIGN_OR_RETURN(auto content,
                       Content::FromFile(open(file->second.c_str(), O_RDONLY | O_CLOEXEC)));
      return ResolvedContent{
          .content = content, .path = request.path, .host = absl::nullopt, .result = "kernel"};
    }
    const auto refusal = refusals_.find(request.path);
    return refusal != refusals_.end() ? refusal->second : absl::NotFoundError("no such file");
  }
};

// The answer must be of this kind; anything else fails the test.
template <typename Kind>
Kind Expect(const absl::StatusOr<TestClient::Answer>& answer) {
  EXPECT_THAT(answer, IsOk());
  if (!answer.ok()) return {};
  const Kind* const kind = std::get_if<Kind>(&answer->packet);
  EXPECT_NE(kind, nullptr) << "packet of kind " << answer->packet.index();
  return kind == nullptr ? Kind{} : *kind;
}

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
  if (!UdpSocket::Open(loopback).ok()) GTEST_SKIP() << "there is no IPv6 here";
  options_.listen.push_back(loopback);
  files_["file"] = Pattern(5000);
  Start();
  TestClient client("::1");
  EXPECT_THAT(client.Fetch(server_->endpoints()[1], Octet("file")), IsOkAndHolds(Pattern(5000)));
}

// faults.md case 20: what the transfer's own test says, with the loop's timers.
TEST_F(TftpServerTest, ASilentClientIsForgotten) {
  options_.limits.transfer.timeout = std::chrono::milliseconds(5);
  files_["file"] = Pattern(5000);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file", {{"blksize", "1024"}}));
  for (int i = 0; i < 3; ++i) Expect<OptionAcknowledgement>(client.Receive());
  // Not Settle(): the server goes on listening.
  absl::Notification forgotten;
  std::function<void()> look = [&] {
    if (log_.Text().find("result=timeout") != std::string::npos) return forgotten.Notify();
    loop_->StartTimer(EventLoop::Now() + std::chrono::milliseconds(1), look);
  };
  loop_->Post(look);
  forgotten.WaitForNotification();
  ExpectNextAnswerIsToAWrite(client);
  EXPECT_THAT(log_.Text(), HasSubstr("warning event=request"));
}

TEST_F(TftpServerTest, ALostPacketIsSentAgain) {
  options_.limits.transfer.timeout = std::chrono::milliseconds(5);
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

// faults.md case 22: transfers that nobody has answered make room for others, those that are
// answered do not.
TEST_F(TftpServerTest, AFloodOfRequestsDoesNotKeepARealClientOut) {
  options_.max_transfers = 3;
  files_["file"] = Pattern(1300);
  Start();
  TestClient honest;
  honest.Ask(address(), Octet("file"));
  const auto first = honest.Receive();
  EXPECT_EQ(Expect<DataBlock>(first).number, 1);
  honest.Acknowledge(first->from, 1);
  EXPECT_EQ(Expect<DataBlock>(honest.Receive()).number, 2);

  std::vector<std::unique_ptr<TestClient>> forged;
  for (int i = 0; i < 20; ++i) {
    forged.push_back(std::make_unique<TestClient>());
    forged.back()->Ask(address(), Octet("file"));
    EXPECT_EQ(Expect<DataBlock>(forged.back()->Receive()).number, 1);
  }
  EXPECT_THAT(Expect<ErrorPacket>(forged.front()->Receive()).text, HasSubstr("too many"));

  TestClient late;
  EXPECT_THAT(late.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(1300)));
  honest.Acknowledge(first->from, 2);
  EXPECT_EQ(Expect<DataBlock>(honest.Receive()).number, 3);
  honest.Acknowledge(first->from, 3);
  Stop();
  EXPECT_THAT(log_.Text(), AllOf(HasSubstr("result=evicted"), HasSubstr("result=menu bytes=1300")));
}

TEST_F(TftpServerTest, WhenAllTransfersAreRealARequestWaitsForItsNextTry) {
  options_.max_transfers = 1;
  files_["file"] = Pattern(700);
  Start();
  TestClient first;
  first.Ask(address(), Octet("file"));
  const auto answer = first.Receive();
  ASSERT_THAT(answer, IsOk());
  first.Acknowledge(answer->from, 1);
  EXPECT_EQ(Expect<DataBlock>(first.Receive()).number, 2);
  TestClient second;
  second.Ask(address(), Octet("file"));
  ExpectNextAnswerIsToAWrite(second);
  first.Acknowledge(answer->from, 2);
  // The first transfer is over when its port is closed; the server's own thread knows.
  absl::Notification ended;
  std::function<void()> look = [&] {
    if (log_.Text().find("bytes=700") != std::string::npos) return ended.Notify();
    loop_->StartTimer(EventLoop::Now() + std::chrono::milliseconds(1), look);
  };
  loop_->Post(look);
  ended.WaitForNotification();
  EXPECT_THAT(second.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(700)));
  Stop();
  EXPECT_THAT(log_.Text(), HasSubstr("warning event=requests-dropped"));
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
