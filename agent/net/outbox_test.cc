#include "agent/net/outbox.h"

#include <string>
#include <utility>
#include <vector>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

UdpSocket OpenSocket() {
  auto socket = UdpSocket::Open(*IpEndpoint::Parse("127.0.0.1:0"));
  EXPECT_THAT(socket, IsOk());
  return *std::move(socket);
}

// All that has come: nothing is under way on the loopback.
std::vector<std::string> Received(UdpSocket& socket) {
  std::vector<std::string> texts;
  ReceiveBatch batch(64, 70'000);
  do {
    EXPECT_THAT(socket.Receive(batch), IsOk());
    for (const Datagram& datagram : batch.datagrams()) texts.emplace_back(datagram.bytes);
  } while (!batch.datagrams().empty());
  return texts;
}

TEST(OutboxTest, WhatIsGatheredGoesOutInOrderFromItsOwnSocket) {
  UdpSocket first = OpenSocket();
  UdpSocket second = OpenSocket();
  UdpSocket receiver = OpenSocket();
  Outbox outbox(1000);
  const std::string texts[] = {"a", "", "c", "d"};
  UdpSocket* const sockets[] = {&first, &first, &second, &first};
  for (int i = 0; i < 4; ++i) {
    outbox.Add(*sockets[i], {.bytes = texts[i], .to = receiver.local()});
  }
  EXPECT_THAT(Received(receiver), IsEmpty());
  outbox.Flush();
  ReceiveBatch batch(8, 100);
  ASSERT_THAT(receiver.Receive(batch), IsOk());
  ASSERT_EQ(batch.datagrams().size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(batch.datagrams()[i].bytes, texts[i]);
    EXPECT_EQ(batch.datagrams()[i].from, sockets[i]->local());
  }
  outbox.Flush();
  EXPECT_THAT(Received(receiver), IsEmpty());
}

TEST(OutboxTest, WhatIsWrittenIntoItsRoomIsNotCopied) {
  UdpSocket socket = OpenSocket();
  UdpSocket receiver = OpenSocket();
  Outbox outbox(100);
  for (const char letter : {'a', 'b'}) {
    const absl::Span<char> room = outbox.Room(10);
    room[0] = room[1] = letter;
    outbox.Add(socket, {.bytes = absl::string_view(room.data(), 2), .to = receiver.local()});
  }
  outbox.Flush();
  EXPECT_THAT(Received(receiver), ElementsAre("aa", "bb"));
}

TEST(OutboxTest, WhenItIsFullItSends) {
  UdpSocket socket = OpenSocket();
  UdpSocket receiver = OpenSocket();
  Outbox outbox(10);
  outbox.Add(socket, {.bytes = "12345678", .to = receiver.local()});
  outbox.Add(socket, {.bytes = "abcdefghij", .to = receiver.local()});
  EXPECT_THAT(Received(receiver), ElementsAre("12345678"));
  outbox.Flush();
  EXPECT_THAT(Received(receiver), ElementsAre("abcdefghij"));
}

TEST(OutboxTest, OneThatCantBeSentKeepsNoOtherBack) {
  UdpSocket socket = OpenSocket();
  UdpSocket receiver = OpenSocket();
  Outbox outbox(1000);
  const IpEndpoint nowhere{receiver.local().address, 0};
  for (const bool good : {false, true, false, false, true}) {
    outbox.Add(socket, {.bytes = "x", .to = good ? receiver.local() : nowhere});
  }
  outbox.Flush();
  EXPECT_THAT(Received(receiver), ElementsAre("x", "x"));
}

}  // namespace
}  // namespace autopxe::agent
