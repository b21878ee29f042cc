#include "agent/tftp/former_clients.h"

#include "common/model/ip_endpoint.h"
#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

Client At(const char* text) { return {*IpEndpoint::Parse(text)}; }

TEST(FormerClientsTest, TheLastPortOfAClientIsRemembered) {
  FormerClients former(64);
  EXPECT_EQ(former.Find(At("10.0.0.1:1000")), absl::nullopt);
  former.Add(At("10.0.0.1:1000"), 50000);
  EXPECT_EQ(former.Find(At("10.0.0.1:1000")), 50000);
  EXPECT_EQ(former.Find(At("10.0.0.1:1001")), absl::nullopt);
  EXPECT_EQ(former.Find(At("10.0.0.2:1000")), absl::nullopt);
  former.Add(At("10.0.0.1:1000"), 50001);
  EXPECT_EQ(former.Find(At("10.0.0.1:1000")), 50001);
}

TEST(FormerClientsTest, TheNewerOneTakesThePlace) {
  FormerClients former(1);
  former.Add(At("10.0.0.1:1000"), 50000);
  former.Add(At("[fd00::1]:1000"), 50001);
  EXPECT_EQ(former.Find(At("10.0.0.1:1000")), absl::nullopt);
  EXPECT_EQ(former.Find(At("[fd00::1]:1000")), 50001);
}

}  // namespace
}  // namespace autopxe::agent::tftp
