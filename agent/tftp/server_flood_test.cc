#include <chrono>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "agent/net/udp_socket.h"
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
using tftp::OptionAcknowledgement;
using tftp::TestClient;

// How many of `count` requests wait in a socket with such a buffer, as far as the system gives it.
int FittingInABufferOf(int bytes, const tftp::ReadRequest& request, int count) {
  auto socket = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"));
  EXPECT_THAT(socket, IsOk());
  socket->ReserveReceiveBuffer(bytes).IgnoreError();
  TestClient client;
  for (int i = 0; i < count; ++i) client.Ask(socket->local(), request);
  ReceiveBatch batch(static_cast<size_t>(count), 1);
  EXPECT_THAT(socket->Receive(batch), IsOk());
  return static_cast<int>(batch.datagrams().size());
}

// faults.md case 22: transfers that nobody has answered make room for others, those that are
// answered do not.
TEST_F(TftpServerTest, AFloodOfRequestsDoesNotKeepARealClientOut) {
  options_.serving.max_transfers = 3;
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

TEST_F(TftpServerTest, WhenAllTransfersAreRealARequestIsRefusedForNow) {
  options_.serving.max_transfers = 1;
  options_.gives_way_after = std::chrono::hours(1);
  files_["file"] = Pattern(700);
  Start();
  TestClient first;
  const IpEndpoint from = BeginFile(first);
  EXPECT_EQ(Expect<DataBlock>(first.Receive()).number, 2);
  TestClient second;
  EXPECT_THAT(second.Fetch(address(), Octet("file", {{"tsize", "0"}})),
              StatusIs(absl::StatusCode::kAborted, "0 too many transfers at once; ask again"));
  first.Acknowledge(from, 2);
  WaitForLog("bytes=700");
  EXPECT_THAT(second.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(700)));
  Stop();
  EXPECT_THAT(log_.Text(), AllOf(HasSubstr("warning event=requests-dropped"),
                                 HasSubstr("path=file result=overload")));
  EXPECT_EQ(fetches_, 2);
}

// Nobody is waited for who may be gone, while others wait.
TEST_F(TftpServerTest, WhenAllTransfersAreRealTheOneThatHasFallenSilentMakesRoom) {
  options_.serving.max_transfers = 2;
  options_.gives_way_after = {};
  options_.limits.transfer.min_margin = std::chrono::milliseconds(5);
  options_.limits.transfer.repetitions = 1000;
  files_["file"] = Pattern(700);
  Start();
  TestClient clients[2];
  for (TestClient& client : clients) {
    BeginFile(client);
    // Silent once the second block has come twice.
    for (int seconds = 0; seconds < 2;) seconds += Expect<DataBlock>(client.Receive()).number == 2;
  }
  TestClient late;
  EXPECT_THAT(late.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(700)));
  Stop();
  EXPECT_THAT(log_.Text(), HasSubstr(absl::StrCat("client=", clients[0].endpoint().Format(),
                                                  " path=file result=evicted bytes=512")));
  EXPECT_THAT(log_.Text(), Not(HasSubstr(absl::StrCat("client=", clients[1].endpoint().Format(),
                                                      " path=file result=evicted"))));
}

// Else whoever forges requests of an address keeps its host out.
TEST_F(TftpServerTest, ForgedRequestsOfAnAddressDoNotKeepItsHostOut) {
  options_.serving.max_transfers_of_address = 2;
  files_["file"] = Pattern(700);
  Start();
  TestClient forged[2];
  for (TestClient& client : forged) {
    client.Ask(address(), Octet("file"));
    EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 1);
  }
  TestClient third;
  EXPECT_THAT(third.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(700)));
  EXPECT_THAT(Expect<ErrorPacket>(forged[0].Receive()).text, HasSubstr("too many"));
  Stop();
  EXPECT_THAT(log_.Text(), HasSubstr(absl::StrCat("client=", forged[0].endpoint().Format(),
                                                  " path=file result=evicted")));
  EXPECT_THAT(log_.Text(), Not(HasSubstr("requests-dropped")));
}

TEST_F(TftpServerTest, OneAddressGetsSoManyTransfersAndOthersTheirOwn) {
  options_.serving.max_transfers_of_address = 2;
  options_.gives_way_after = std::chrono::hours(1);
  files_["file"] = Pattern(1300);
  Start();
  TestClient clients[2];
  IpEndpoint from = address();
  for (TestClient& client : clients) {
    client.Ask(address(), Octet("file"));
    const auto answer = client.Receive();
    EXPECT_EQ(Expect<DataBlock>(answer).number, 1);
    from = answer->from;
    client.Acknowledge(from, 1);
    EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 2);
  }
  TestClient third;
  EXPECT_THAT(third.Fetch(address(), Octet("file", {{"tsize", "0"}})),
              StatusIs(absl::StatusCode::kAborted, "0 too many transfers at once; ask again"));
  TestClient elsewhere("127.0.0.2");
  EXPECT_THAT(elsewhere.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(1300)));
  clients[1].Send(from, Literal("\0\5\0\0\0"));
  WaitForLog("result=aborted");
  EXPECT_THAT(third.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(1300)));
  Stop();
  EXPECT_THAT(log_.Text(), HasSubstr("2 transfers of 127.0.0.1 are open"));
}

TEST_F(TftpServerTest, LimitsChangeWhileItServes) {
  options_.gives_way_after = std::chrono::hours(1);
  files_["file"] = Pattern(700);
  Start();
  TestClient first;
  const IpEndpoint from = BeginFile(first);
  EXPECT_EQ(Expect<DataBlock>(first.Receive()).number, 2);
  TestClient second;
  for (const tftp::ServingLimits& limits : {tftp::ServingLimits{.max_transfers = 1},
                                            tftp::ServingLimits{.max_transfers_of_address = 1}}) {
    server_->SetLimits(limits);
    AwaitLoop();
    EXPECT_THAT(second.Fetch(address(), Octet("file")),
                StatusIs(absl::StatusCode::kAborted, HasSubstr("too many")));
  }
  server_->SetLimits({});
  AwaitLoop();
  EXPECT_THAT(second.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(700)));
  // What was open stays.
  first.Acknowledge(from, 2);
  WaitForLog(
      absl::StrCat("client=", first.endpoint().Format(), " path=file result=menu bytes=700"));
}

// faults.md case 23: what comes while the loop is busy waits, beyond what the kernel's own buffer
// holds.
TEST_F(TftpServerTest, ManyRequestsAtOnceAreAllAnswered) {
  // More than the kernel's 280, and less than transfers and clients of one process may have with
  // the usual 1,024 descriptors.
  constexpr int kClients = 450;
  // However slow this machine is.
  options_.limits.transfer.timeout = std::chrono::seconds(20);
  options_.limits.transfer.min_margin = std::chrono::seconds(20);
  files_["file"] = Pattern(700);
  Start();
  const tftp::ReadRequest request = Octet("file", {{"blksize", "1432"}, {"tsize", "0"}});
  // Where the system gives less than was asked for it says so, and what it gives is used whole.
  const int fitting = FittingInABufferOf(options_.receive_buffer_bytes, request, kClients);
  if (log_.Text().find("small-receive-buffer") == std::string::npos) EXPECT_EQ(fitting, kClients);
  absl::Notification asked;
  loop_->Post([&] { asked.WaitForNotification(); });
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < fitting; ++i) {
    clients.push_back(std::make_unique<TestClient>());
    clients.back()->Ask(address(), request);
  }
  asked.Notify();
  for (const auto& client : clients) {
    const auto answer = client->Receive();
    Expect<OptionAcknowledgement>(answer);
    client->Acknowledge(answer->from, 0);
  }
  for (const auto& client : clients) {
    const auto answer = client->Receive();
    EXPECT_EQ(Expect<DataBlock>(answer), (DataBlock{1, Pattern(700)}));
    client->Acknowledge(answer->from, 1);
  }
  Settle();
  EXPECT_THAT(log_.Text(), Not(HasSubstr("result=timeout")));
}

// faults.md case 24: one that does not answer is not waited for.
TEST_F(TftpServerTest, ASilentClientHoldsUpNobody) {
  files_["file"] = Pattern(100'000);
  Start();
  TestClient silent;
  silent.Ask(address(), Octet("file", {{"windowsize", "64"}}));
  const auto answer = silent.Receive();
  ASSERT_THAT(answer, IsOk());
  silent.Acknowledge(answer->from, 0);
  for (int i = 0; i < 50; ++i) {
    TestClient client;
    EXPECT_THAT(client.Fetch(address(), Octet("file", {{"windowsize", "16"}})),
                IsOkAndHolds(Pattern(100'000)));
  }
}

// faults.md case 22: what vanishes leaves nothing behind.
TEST_F(TftpServerTest, TransfersThatVanishGiveTheirFilesBack) {
  options_.limits.transfer.timeout = std::chrono::milliseconds(1);
  disk_files_["file"] = WriteFile("vanish", Pattern(100'000));
  Start();
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  TestClient clients[100];
  const auto before = descriptors();
  for (int round = 0; round < 3; ++round) {
    for (TestClient& client : clients) {
      client.Ask(address(), Octet("file", {{"blksize", absl::StrCat(1000 + round)}}));
    }
  }
  Settle();
  // The socket that took requests is gone as well, and one that asks for MTUs has come.
  EXPECT_LE(descriptors(), before);
}

}  // namespace
}  // namespace autopxe::agent
