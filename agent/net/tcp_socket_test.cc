#include "agent/net/tcp_socket.h"

#include <errno.h>
#include <sys/socket.h>

#include <string>
#include <thread>

#include "agent/net/socket_address.h"
#include "agent/net/unique_fd.h"
#include "common/model/ip_endpoint.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

// Both ends of a connection over the loopback.
class TcpSocketTest : public testing::Test {
 protected:
  TcpSocketTest() {
    const SocketAddress any(*IpEndpoint::Parse("127.0.0.1:0"));
    listener_.Reset(socket(any.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(listener_.get(), any.get(), any.size()), 0);
    EXPECT_EQ(listen(listener_.get(), 8), 0);
    Connect(client_);
    server_.Reset(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    EXPECT_GE(server_.get(), 0);
  }

  int Connect(UniqueFd& client) {
    const SocketAddress address(*LocalAddressOf(listener_.get()));
    client.Reset(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(client.get(), address.get(), address.size());
  }

  UniqueFd listener_;
  UniqueFd client_;
  UniqueFd server_;
};

TEST_F(TcpSocketTest, WhatThePeerHasTakenIsCounted) {
  const uint64_t before = AcknowledgedBytes(server_.get());
  ASSERT_EQ(send(server_.get(), "12345678", 8, 0), 8);
  char bytes[8];
  ASSERT_EQ(recv(client_.get(), bytes, sizeof bytes, MSG_WAITALL), 8);
  while (AcknowledgedBytes(server_.get()) < before + 8) std::this_thread::yield();
  EXPECT_EQ(AcknowledgedBytes(server_.get()), before + 8);
  EXPECT_EQ(AcknowledgedBytes(-1), 0u);
}

TEST_F(TcpSocketTest, AnEndedConnectionIsEndedForBoth) {
  EndConnection(server_.get());
  char byte;
  EXPECT_EQ(recv(client_.get(), &byte, 1, 0), 0);
  EXPECT_EQ(recv(server_.get(), &byte, 1, 0), 0);
  EXPECT_EQ(send(server_.get(), "x", 1, MSG_NOSIGNAL), -1);
}

TEST_F(TcpSocketTest, WhoReadsNoMoreStillSends) {
  EndReading(server_.get());
  char byte;
  EXPECT_EQ(recv(server_.get(), &byte, 1, 0), 0);
  EXPECT_EQ(send(server_.get(), "x", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(recv(client_.get(), &byte, 1, 0), 1);
}

TEST_F(TcpSocketTest, AListenerThatReadsNoMoreRefusesConnections) {
  EndReading(listener_.get());
  UniqueFd late;
  EXPECT_EQ(Connect(late), -1);
  EXPECT_EQ(errno, ECONNREFUSED);
}

}  // namespace
}  // namespace autopxe::agent
