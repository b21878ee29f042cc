#include "agent/tftp/transfer_ports.h"

#include <algorithm>
#include <set>
#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

using testing::HasSubstr;

const IpAddress kLoopback = *IpAddress::Parse("127.0.0.1");

TEST(TransferPortsTest, WithoutARangeTheyAreAnyFreeOnes) {
  const auto sockets = OpenTransferPorts(kLoopback, 5, absl::nullopt);
  ASSERT_THAT(sockets, IsOk());
  std::set<uint16_t> ports;
  for (const UdpSocket& socket : *sockets) {
    EXPECT_EQ(socket.local().address, kLoopback);
    ports.insert(socket.local().port);
  }
  EXPECT_EQ(ports.size(), 5u);
}

TEST(TransferPortsTest, OfARangeThoseThatAreFreeAreTaken) {
  const auto taken = UdpSocket::Open({kLoopback, 0});
  ASSERT_THAT(taken, IsOk());
  const uint16_t port = taken->local().port;
  const PortRange range{port, static_cast<uint16_t>(std::min(65535, port + 50))};
  const auto sockets = OpenTransferPorts(kLoopback, 3, range);
  if (port > 65000) GTEST_SKIP() << "too near the end to have room behind it";
  ASSERT_THAT(sockets, IsOk());
  EXPECT_GE(sockets->size(), 1u);
  EXPECT_LE(sockets->size(), 3u);
  for (const UdpSocket& socket : *sockets) {
    EXPECT_GT(socket.local().port, port);
    EXPECT_LE(socket.local().port, range.last);
  }
}

TEST(TransferPortsTest, WhenNoneIsFreeTheRangeIsNamed) {
  const auto taken = UdpSocket::Open({kLoopback, 0});
  ASSERT_THAT(taken, IsOk());
  const PortRange range{taken->local().port, taken->local().port};
  const auto sockets = OpenTransferPorts(kLoopback, 3, range);
  ASSERT_FALSE(sockets.ok());
  EXPECT_THAT(std::string(sockets.status().message()), HasSubstr(range.Format()));
}

}  // namespace
}  // namespace autopxe::agent::tftp
