#include "agent/tftp/block_size_limit.h"

#include <net/if.h>

#include <algorithm>
#include <cstddef>
#include <fstream>

#include "absl/types/optional.h"
#include "agent/net/udp_socket.h"
#include "common/model/ip_endpoint.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

constexpr int kNoInterface = 0x7fffffff;

Datagram RequestOf(const char* client, int interface_index) {
  return {.bytes = {},
          .from = *IpEndpoint::Parse(client),
          .to = *IpAddress::Parse("127.0.0.1"),
          .interface_index = interface_index};
}

TEST(BlockSizeLimitTest, ABlockGoesThroughItsInterfaceInOnePiece) {
  size_t mtu = 0;
  ASSERT_TRUE(std::ifstream("/sys/class/net/lo/mtu") >> mtu);
  const int loopback = static_cast<int>(if_nametoindex("lo"));
  BlockSizeLimit limit(absl::nullopt);
  EXPECT_EQ(limit.For(RequestOf("127.0.0.1:1000", loopback), {}),
            std::min<size_t>(65464, mtu - 32));
  EXPECT_EQ(limit.For(RequestOf("[::1]:1000", loopback), {}), std::min<size_t>(65464, mtu - 52));
}

TEST(BlockSizeLimitTest, WhereTheMtuIsNotKnownABlockGoesThroughMostNetworks) {
  BlockSizeLimit limit(absl::nullopt);
  EXPECT_EQ(limit.For(RequestOf("10.0.0.1:1000", kNoInterface), {}), 1468);
  EXPECT_EQ(limit.For(RequestOf("[fd00::1]:1000", kNoInterface), {}), 1228);
}

TEST(BlockSizeLimitTest, WhatIsSetHoldsForEveryInterfaceUntilItIsUnset) {
  BlockSizeLimit limit(8);
  EXPECT_EQ(limit.For(RequestOf("10.0.0.1:1000", kNoInterface), {}), 8);
  limit.Set(9000);
  EXPECT_EQ(limit.For(RequestOf("10.0.0.1:1000", kNoInterface), {}), 9000);
  limit.Set(absl::nullopt);
  EXPECT_EQ(limit.For(RequestOf("10.0.0.1:1000", kNoInterface), {}), 1468);
}

}  // namespace
}  // namespace autopxe::agent::tftp
