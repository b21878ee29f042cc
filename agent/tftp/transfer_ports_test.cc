#include "agent/tftp/transfer_ports.h"

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
  // Before it there is room: free ports are far from the first.
  const PortRange range{static_cast<uint16_t>(port - 50), port};
  const auto sockets = OpenTransferPorts(kLoopback, 100, range);
  ASSERT_THAT(sockets, IsOk());
  EXPECT_GE(sockets->size(), 1u);
  for (const UdpSocket& socket : *sockets) {
    EXPECT_GE(socket.local().port, range.first);
    EXPECT_LT(socket.local().port, port);
  }
  // No more than are asked for.
  const IpAddress elsewhere = *IpAddress::Parse("127.0.0.2");
  const auto some = OpenTransferPorts(elsewhere, 3, range);
  ASSERT_THAT(some, IsOk());
  EXPECT_LE(some->size(), 3u);
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
