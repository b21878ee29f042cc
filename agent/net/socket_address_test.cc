#include "agent/net/socket_address.h"

#include <cstring>

#include "agent/net/unique_fd.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

TEST(SocketAddressTest, AnEndpointSurvivesTheKernelsForm) {
  for (const char* text : {"0.0.0.0:69", "10.77.1.1:0", "255.255.255.255:65535", "[::]:69",
                           "[fd00::1]:4011", "[fe80::5054:ff:fe12:3456]:1"}) {
    const auto endpoint = IpEndpoint::Parse(text);
    ASSERT_THAT(endpoint, IsOk());
    const SocketAddress address(*endpoint);
    EXPECT_EQ(address.family(), endpoint->address.is_v4() ? AF_INET : AF_INET6) << text;
    EXPECT_THAT(EndpointOf(address.get(), address.size()), IsOkAndHolds(*endpoint));
  }
}

TEST(SocketAddressTest, OnlyALinkLocalAddressCarriesItsInterface) {
  const struct {
    const char* endpoint;
    uint32_t scope;
  } cases[] = {{"[fe80::1]:69", 7}, {"[febf::1]:69", 7}, {"[fec0::1]:69", 0}, {"[fd00::1]:69", 0}};
  for (const auto& test : cases) {
    const SocketAddress address(*IpEndpoint::Parse(test.endpoint), 7);
    sockaddr_in6 v6;
    ASSERT_EQ(address.size(), sizeof(v6));
    std::memcpy(&v6, address.get(), sizeof(v6));
    EXPECT_EQ(v6.sin6_scope_id, test.scope) << test.endpoint;
  }
}

TEST(SocketAddressTest, AnAddressThatIsNotIpOrIsCutIsRefused) {
  sockaddr_storage storage = {};
  storage.ss_family = AF_UNIX;
  EXPECT_THAT(EndpointOf(reinterpret_cast<sockaddr*>(&storage), sizeof(storage)),
              StatusIs(absl::StatusCode::kInvalidArgument));
  const SocketAddress v4(*IpEndpoint::Parse("10.0.0.1:69"));
  const SocketAddress v6(*IpEndpoint::Parse("[fd00::1]:69"));
  EXPECT_THAT(EndpointOf(v4.get(), v4.size() - 1), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(EndpointOf(v6.get(), v6.size() - 1), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(SocketAddressTest, ABoundSocketTellsItsPort) {
  UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress any_port(*IpEndpoint::Parse("127.0.0.1:0"));
  ASSERT_EQ(bind(fd.get(), any_port.get(), any_port.size()), 0);
  const auto local = LocalAddressOf(fd.get());
  ASSERT_THAT(local, IsOk());
  EXPECT_EQ(local->address.Format(), "127.0.0.1");
  EXPECT_NE(local->port, 0);
}

TEST(SocketAddressTest, WhatIsNotASocketIsAnError) { EXPECT_FALSE(LocalAddressOf(-1).ok()); }

}  // namespace
}  // namespace autopxe::agent
