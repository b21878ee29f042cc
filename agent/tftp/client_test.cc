#include "agent/tftp/client.h"

#include "agent/net/udp_socket.h"
#include "common/model/ip_endpoint.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

Client From(const char* endpoint, int interface_index) {
  const IpEndpoint from = *IpEndpoint::Parse(endpoint);
  return Client::Of({.bytes = "",
                     .from = from,
                     .to = from.address,
                     .interface_index = interface_index,
                     .unicast = true,
                     .truncated = false});
}

TEST(ClientTest, ALinkLocalAddressIsAnotherClientsOnAnotherLink) {
  EXPECT_EQ(From("[fe80::1]:2070", 2), From("[fe80::1]:2070", 2));
  EXPECT_NE(From("[fe80::1]:2070", 2), From("[fe80::1]:2070", 3));
}

TEST(ClientTest, AnyOtherAddressIsTheSameClientsWhereverItComesIn) {
  EXPECT_EQ(From("[fd00::1]:2070", 2), From("[fd00::1]:2070", 3));
  EXPECT_EQ(From("10.77.1.85:2070", 2), From("10.77.1.85:2070", 3));
  EXPECT_NE(From("10.77.1.85:2070", 2), From("10.77.1.85:2071", 2));
}

}  // namespace
}  // namespace autopxe::agent::tftp
