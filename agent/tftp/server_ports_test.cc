#include <algorithm>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "agent/net/udp_socket.h"
#include "agent/tftp/test_client.h"
#include "agent/tftp/test_server.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

// Which ports and addresses answers leave from, and how long they may be.
namespace autopxe::agent {
namespace {

using testing::HasSubstr;
using tftp::DataBlock;
using tftp::ErrorPacket;
using tftp::OptionAcknowledgement;
using tftp::TestClient;

TEST_F(TftpServerTest, AClientsNextTransferHasAnotherPort) {
  files_["0"] = files_["1"] = "text";
  Start();
  TestClient client;
  uint16_t last_port = 0;
  for (int i = 0; i < 100; ++i) {
    // Of two sockets, nobody says which is read first: the same request again may be taken for a
    // copy of the one before.
    client.Ask(address(), Octet(absl::StrCat(i % 2)));
    const auto answer = client.Receive();
    ASSERT_THAT(answer, IsOk());
    EXPECT_NE(answer->from.port, address().port);
    EXPECT_NE(answer->from.port, last_port);
    last_port = answer->from.port;
    client.Acknowledge(answer->from, 1);
    // Copies of the last acknowledgement, whenever they come, get no answer that could be taken for
    // that to the next request.
    client.Acknowledge(answer->from, 1);
  }
}

TEST_F(TftpServerTest, TransfersStayInTheirRangeOfPorts) {
  // A port that was free a moment ago, and those behind it.
  const uint16_t first = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"))->local().port;
  options_.ports = PortRange{first, static_cast<uint16_t>(std::min(65535, first + 20))};
  files_["file"] = Pattern(5000);
  Start();
  for (int i = 0; i < 30; ++i) {
    TestClient client;
    client.Ask(address(), Octet("file"));
    const auto answer = client.Receive();
    ASSERT_THAT(answer, IsOk());
    EXPECT_GE(answer->from.port, options_.ports->first);
    EXPECT_LE(answer->from.port, options_.ports->last);
    client.Send(answer->from, Literal("\0\5\0\0\0"));
    TestClient other;
    EXPECT_THAT(other.Fetch(address(), Octet("file")), IsOkAndHolds(Pattern(5000)));
  }
}

// One port serves any number of them.
TEST_F(TftpServerTest, ListenersAtTheSameAddressShareTheirPorts) {
  // A port that was free a moment ago.
  const uint16_t port = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"))->local().port;
  options_.listen.push_back(options_.listen[0]);
  options_.ports = PortRange{port, port};
  files_["file"] = Pattern(5000);
  Start();
  ASSERT_EQ(server_->endpoints().size(), 2u);
  for (const IpEndpoint& listener : server_->endpoints()) {
    TestClient client;
    client.Ask(listener, Octet("file"));
    const auto answer = client.Receive();
    ASSERT_THAT(answer, IsOk());
    EXPECT_EQ(answer->from.port, port);
    client.Send(answer->from, Literal("\0\5\0\0\0"));
    TestClient other;
    EXPECT_THAT(other.Fetch(listener, Octet("file")), IsOkAndHolds(Pattern(5000)));
  }
}

// Who guesses the port of the answer to a forged request can answer it as well.
TEST_F(TftpServerTest, NobodyKnowsFromWhichPortTheNextAnswerComes) {
  files_["file"] = "text";
  Start();
  std::set<uint16_t> ports;
  for (int i = 0; i < 64; ++i) {
    TestClient client;
    ports.insert(BeginFile(client).port);
  }
  // Of 64, drawn 64 times, 40 on the average. In turn it would be each, and with one for all one.
  EXPECT_GT(ports.size(), 20u);
  EXPECT_LT(ports.size(), 64u);
}

// There are 65 of them.
TEST_F(TftpServerTest, ThatSendBuffersAreSmallIsSaidOnce) {
  Start();
  const std::vector<std::string> around = absl::StrSplit(log_.Text(), "event=small-send-buffer");
  EXPECT_LE(around.size(), 2u);
  if (around.size() == 2) EXPECT_THAT(around[1], HasSubstr("net.core.wmem_max="));
}

TEST_F(TftpServerTest, ARangeWithoutAFreePortIsSaidByName) {
  const auto taken = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"));
  ASSERT_THAT(taken, IsOk());
  options_.ports = PortRange{taken->local().port, taken->local().port};
  const auto server = TftpServer::Open(*loop_, options_, nullptr);
  ASSERT_FALSE(server.ok());
  EXPECT_THAT(std::string(server.status().message()), HasSubstr(options_.ports->Format()));
}

TEST_F(TftpServerTest, WithASinglePortEverythingComesFromIt) {
  options_.single_port = true;
  options_.limits.transfer.timeout = std::chrono::seconds(20);
  files_["file"] = Pattern(5000);
  disk_files_["large"] = WriteFile("single-port", Pattern(300'000));
  Start();
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<TestClient>());
    clients.back()->Ask(address(), Octet("file", {{"blksize", "4000"}}));
  }
  for (const auto& client : clients) {
    const auto answer = client->Receive();
    Expect<OptionAcknowledgement>(answer);
    EXPECT_EQ(answer->from, address());
    client->Acknowledge(address(), 0);
    const auto block = client->Receive();
    EXPECT_EQ(Expect<DataBlock>(block), (DataBlock{1, Pattern(5000).substr(0, 4000)}));
    EXPECT_EQ(block->from, address());
    client->Acknowledge(address(), 1);
    EXPECT_EQ(Expect<DataBlock>(client->Receive()).number, 2);
    client->Acknowledge(address(), 2);
  }
  TestClient client;
  EXPECT_THAT(client.Fetch(address(), Octet("large", {{"windowsize", "16"}})),
              IsOkAndHolds(Pattern(300'000)));
  EXPECT_THAT(client.Fetch(address(), Octet("missing")), StatusIs(absl::StatusCode::kAborted));
  ExpectNextAnswerIsToAWrite(client);
}

// faults.md case 12.
TEST_F(TftpServerTest, WithASinglePortAnIntruderIsToldAndDoesNotDisturb) {
  options_.single_port = true;
  files_["file"] = Pattern(1000);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 1);
  TestClient intruder("127.0.0.2");
  intruder.Acknowledge(address(), 1);
  EXPECT_EQ(Expect<ErrorPacket>(intruder.Receive()).code, 5);
  client.Acknowledge(address(), 1);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()), (DataBlock{2, Pattern(1000).substr(512)}));
  client.Acknowledge(address(), 2);
}

TEST_F(TftpServerTest, DrainingASinglePortLetsItsTransfersEndAndTakesNoMore) {
  options_.single_port = true;
  files_["file"] = Pattern(700);
  Start();
  TestClient client;
  client.Ask(address(), Octet("file"));
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 1);
  EXPECT_EQ(server_->Drain(absl::ZeroDuration()), 1u);
  AwaitLoop();
  TestClient late;
  late.Ask(address(), Octet("file"));
  // Dealt with behind it, and answered, since it belongs to no transfer: the first answer that
  // comes is this one's, by the length of its text.
  late.Send(address(), Literal("garbage"));
  EXPECT_EQ(Expect<ErrorPacket>(late.Receive()), (ErrorPacket{5, "unknown transfer"}));
  client.Acknowledge(address(), 1);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 2);
  client.Acknowledge(address(), 2);
  EXPECT_EQ(server_->Drain(absl::Seconds(30)), 0u);
  Stop();
  EXPECT_EQ(requests_.size(), 1u);
}

TEST_F(TftpServerTest, TheAddressThatWasAskedAnswersWhateverThePorts) {
  for (const bool single_port : {false, true}) {
    options_.single_port = single_port;
    options_.listen = {*IpEndpoint::Parse("0.0.0.0:0"), *IpEndpoint::Parse("[::]:0")};
    files_["file"] = Pattern(5000);
    Start();
    for (const char* asked : {"127.0.0.1", "127.0.0.2", "::1"}) {
      const IpAddress at = *IpAddress::Parse(asked);
      const IpEndpoint server{at, server_->endpoints()[at.is_v4() ? 0 : 1].port};
      TestClient client(at.is_v4() ? "127.0.0.1" : "::1");
      client.Ask(server, Octet("file"));
      const auto answer = client.Receive();
      ASSERT_THAT(answer, IsOk());
      EXPECT_EQ(answer->from.address, at);
      EXPECT_EQ(answer->from.port == server.port, single_port);
      client.Send(answer->from, Literal("\0\5\0\0\0"));
      EXPECT_THAT(client.Fetch(server, Octet("file", {{"windowsize", "4"}})),
                  IsOkAndHolds(Pattern(5000)));
    }
    Stop();
    SetUp();
  }
}

// The peer's address is the agent's, but not the one that it asked.
TEST_F(TftpServerTest, WhatComesToAnotherAddressIsNotTheTransfers) {
  options_.listen = {*IpEndpoint::Parse("0.0.0.0:0")};
  files_["file"] = Pattern(700);
  Start();
  TestClient client;
  client.Ask({*IpAddress::Parse("127.0.0.1"), address().port}, Octet("file"));
  const auto answer = client.Receive();
  EXPECT_EQ(Expect<DataBlock>(answer).number, 1);
  client.Acknowledge({*IpAddress::Parse("127.0.0.2"), answer->from.port}, 1);
  ExpectNextAnswerIsToAWrite(client);
  client.Acknowledge(answer->from, 1);
  EXPECT_EQ(Expect<DataBlock>(client.Receive()).number, 2);
  client.Acknowledge(answer->from, 2);
}

TEST_F(TftpServerTest, ABlockIsAsLongAsTheInterfaceOrTheSettingAllows) {
  files_["file"] = Pattern(200'000);
  const auto granted = [this](const char* asked) {
    TestClient client;
    client.Ask(address(), Octet("file", {{"blksize", asked}}));
    const auto answer = client.Receive();
    const auto options = Expect<OptionAcknowledgement>(answer).options;
    client.Send(answer->from, Literal("\0\5\0\0\0"));
    return options.empty() ? "" : options[0].value;
  };
  Start();
  size_t mtu = 0;
  ASSERT_TRUE(std::ifstream("/sys/class/net/lo/mtu") >> mtu);
  EXPECT_EQ(granted("65464"), absl::StrCat(std::min<size_t>(65464, mtu - 32)));
  EXPECT_EQ(granted("512"), "512");
  // While it runs, and from the start.
  server_->SetLimits({.max_block_size = 1000});
  AwaitLoop();
  EXPECT_EQ(granted("65464"), "1000");
  Stop();
  SetUp();
  options_.serving.max_block_size = 1024;
  Start();
  EXPECT_EQ(granted("65464"), "1024");
}

}  // namespace
}  // namespace autopxe::agent
