#include "agent/net/interface_mtu.h"

#include <net/if.h>

#include <fstream>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

TEST(InterfaceMtuTest, ItIsTheOneThatTheSystemTells) {
  size_t told = 0;
  ASSERT_TRUE(std::ifstream("/sys/class/net/lo/mtu") >> told);
  InterfaceMtus mtus;
  EXPECT_THAT(mtus.Ask(static_cast<int>(if_nametoindex("lo"))), IsOkAndHolds(told));
}

TEST(InterfaceMtuTest, AnInterfaceThatIsNotThereHasNone) {
  for (const int index : {0, -1, 0x7fffffff}) {
    InterfaceMtus mtus;
    EXPECT_FALSE(mtus.Ask(index).ok()) << index;
    EXPECT_EQ(mtus.Find(index, {}), absl::nullopt) << index;
  }
}

TEST(InterfaceMtuTest, WhatIsKnownIsAskedAgainLater) {
  const int loopback = static_cast<int>(if_nametoindex("lo"));
  InterfaceMtus mtus;
  const auto mtu = mtus.Ask(loopback);
  ASSERT_THAT(mtu, IsOk());
  for (const int second : {0, 1, 100}) {
    EXPECT_EQ(mtus.Find(loopback, InterfaceMtus::TimePoint(std::chrono::seconds(second))), *mtu);
  }
}

TEST(InterfaceMtuTest, WhatNobodyKnowsGoesThroughMostNetworks) {
  EXPECT_EQ(UsualMtu(true), 1500u);
  EXPECT_EQ(UsualMtu(false), 1280u);
}

TEST(InterfaceMtuTest, TheHeadersAreTakenOff) {
  EXPECT_EQ(UdpPayloadIn(1500, true), 1472u);
  EXPECT_EQ(UdpPayloadIn(1500, false), 1452u);
  EXPECT_EQ(UdpPayloadIn(20, true), 0u);
}

}  // namespace
}  // namespace autopxe::agent
