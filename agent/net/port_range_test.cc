#include "agent/net/port_range.h"

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::agent {
namespace {

using testing::HasSubstr;

TEST(PortRangeTest, ItIsTwoPortsOrOne) {
  EXPECT_THAT(PortRange::Parse("50000-50999"), IsOkAndHolds(PortRange{50000, 50999}));
  EXPECT_THAT(PortRange::Parse("1-65535"), IsOkAndHolds(PortRange{1, 65535}));
  EXPECT_THAT(PortRange::Parse("69"), IsOkAndHolds(PortRange{69, 69}));
  EXPECT_EQ((PortRange{50000, 50999}).Format(), "50000-50999");
}

TEST(PortRangeTest, WhatIsNoRangeIsNamed) {
  for (const char* text : {"", "-", "1-", "-1", "0-5", "5-4", "1-65536", "a-b", "1-2-3", "1 - 2",
                           "+1-2", "99999999999"}) {
    const auto range = PortRange::Parse(text);
    EXPECT_THAT(range, StatusIs(absl::StatusCode::kInvalidArgument,
                                HasSubstr("expected ports such as 50000-50999")))
        << text;
    EXPECT_THAT(std::string(range.status().message()), HasSubstr(text));
  }
}

}  // namespace
}  // namespace autopxe::agent
