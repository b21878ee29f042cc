#include "common/model/ip_endpoint.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>
#include <random>
#include <string>

#include "absl/hash/hash_testing.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(IpAddressTest, FormatsTheShortestUsualForm) {
  const struct {
    const char* text;
    const char* formatted;
  } kCases[] = {
      {"10.77.1.1", "10.77.1.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"::", "::"},
      {"::1", "::1"},
      {"fd00::1", "fd00::1"},
      {"FD00:0:0:0:0:0:0:1", "fd00::1"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
      {"::ffff:a00:1", "10.0.0.1"},
      // RFC 5952, section 4.2.
      {"2001:db8::0:1", "2001:db8::1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:0db8::0001", "2001:db8::1"},
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
      {"1::", "1::"},
      {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
      {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<IpAddress> address = IpAddress::Parse(c.text);
    ASSERT_THAT(address, IsOk()) << c.text;
    EXPECT_EQ(address->Format(), c.formatted) << c.text;
    EXPECT_THAT(IpAddress::Parse(c.formatted), IsOkAndHolds(*address));
  }
}

TEST(IpAddressTest, RefusesWhatIsNoAddress) {
  for (const std::string& text : {std::string(),
                                  std::string("10"),
                                  std::string("10.77.1"),
                                  std::string("10.77.1.1.1"),
                                  std::string("10.77.1.256"),
                                  std::string("10.77.1.01"),
                                  std::string("10.77.1.-1"),
                                  std::string("10.77.1. 1"),
                                  std::string("0x0a.1.1.1"),
                                  std::string(" 10.77.1.1"),
                                  std::string("10.77.1.1\n"),
                                  std::string("10.77.1.1\0", 10),
                                  std::string("localhost"),
                                  std::string(":"),
                                  std::string(":::"),
                                  std::string("1::2::3"),
                                  std::string("1:2:3:4:5:6:7"),
                                  std::string("1:2:3:4:5:6:7:8:9"),
                                  std::string("1:2:3:4::5:6:7:8"),
                                  std::string("12345::"),
                                  std::string("::g"),
                                  std::string("::0x1"),
                                  std::string("::+1"),
                                  std::string("[::1]"),
                                  std::string("fe80::1%eth0"),
                                  std::string("::1.2.3"),
                                  std::string("1.2.3.4::"),
                                  std::string("::1.2.3.4:5"),
                                  std::string(":1::"),
                                  std::string("1:"),
                                  std::string(1 << 20, ':')}) {
    EXPECT_THAT(IpAddress::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("address \"")))
        << text.substr(0, 40);
  }
}

TEST(IpAddressTest, AgreesWithTheSystemOnRandomText) {
  constexpr absl::string_view kTokens[] = {":",  "::",   ".",  "0",   "1",
                                           "ff", "ffff", "10", "255", "256"};
  std::mt19937 random(5);
  int accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string text;
    for (size_t count = random() % 17; count > 0; --count) {
      absl::StrAppend(&text, kTokens[random() % std::size(kTokens)]);
    }
    std::array<uint8_t, 4> v4;
    std::array<uint8_t, 16> v6;
    const absl::StatusOr<IpAddress> address = IpAddress::Parse(text);
    if (inet_pton(AF_INET, text.c_str(), v4.data()) == 1) {
      EXPECT_THAT(address, IsOkAndHolds(IpAddress::FromV4(v4))) << text;
    } else if (inet_pton(AF_INET6, text.c_str(), v6.data()) == 1) {
      EXPECT_THAT(address, IsOkAndHolds(IpAddress::FromV6(v6))) << text;
    } else {
      EXPECT_FALSE(address.ok()) << text;
    }
    accepted += address.ok() ? 1 : 0;
  }
  EXPECT_GT(accepted, 500);
}

TEST(IpAddressTest, RandomAddressesComeBackFromTheirText) {
  std::mt19937 random(6);
  for (int i = 0; i < 20000; ++i) {
    std::array<uint8_t, 16> octets;
    // Zeros often, for the gap.
    for (uint8_t& octet : octets) octet = random() % 3 == 0 ? random() : 0;
    const IpAddress address = IpAddress::FromV6(octets);
    EXPECT_THAT(IpAddress::Parse(address.Format()), IsOkAndHolds(address));
    if (!address.is_v4()) {
      std::array<uint8_t, 16> parsed;
      ASSERT_EQ(inet_pton(AF_INET6, address.Format().c_str(), parsed.data()), 1);
      EXPECT_EQ(parsed, octets);
    }
  }
}

TEST(IpAddressTest, KnowsWhatIsSpecial) {
  const auto parse = [](absl::string_view text) { return IpAddress::Parse(text).value(); };
  EXPECT_TRUE(parse("10.0.0.1").is_v4());
  EXPECT_TRUE(parse("::ffff:10.0.0.1").is_v4());
  EXPECT_FALSE(parse("::1").is_v4());
  EXPECT_TRUE(parse("0.0.0.0").is_unspecified());
  EXPECT_TRUE(parse("::").is_unspecified());
  EXPECT_FALSE(parse("0.0.0.1").is_unspecified());
  EXPECT_TRUE(parse("127.0.0.1").is_loopback());
  EXPECT_TRUE(parse("127.255.0.1").is_loopback());
  EXPECT_TRUE(parse("::1").is_loopback());
  EXPECT_FALSE(parse("128.0.0.1").is_loopback());
  EXPECT_FALSE(parse("::").is_loopback());
  EXPECT_FALSE(parse("::2").is_loopback());
}

TEST(IpEndpointTest, ComesBackFromItsText) {
  for (const char* text : {"10.77.1.1:69", "0.0.0.0:0", "[fd00::1]:69", "[::]:65535"}) {
    const absl::StatusOr<IpEndpoint> endpoint = IpEndpoint::Parse(text);
    ASSERT_THAT(endpoint, IsOk()) << text;
    EXPECT_EQ(endpoint->Format(), text);
  }
  EXPECT_THAT(IpEndpoint::Parse("10.77.1.1:69"),
              IsOkAndHolds(IpEndpoint{IpAddress::FromV4({10, 77, 1, 1}), 69}));
  // A mapped address is the IPv4 one and is written so.
  EXPECT_EQ(IpEndpoint::Parse("[::ffff:10.0.0.1]:69").value().Format(), "10.0.0.1:69");
}

TEST(IpEndpointTest, RefusesWhatIsNoEndpoint) {
  for (const char* text :
       {"", ":", "10.77.1.1", "10.77.1.1:", "10.77.1.1:65536", "10.77.1.1:-1", "10.77.1.1:069",
        "10.77.1.1:+9", "10.77.1.1: 69", "10.77.1.1:69 ", ":69", "[]:69", "fd00::1:69", "[fd00::1]",
        "[fd00::1]69", "[10.77.1.1]:69", "localhost:69", "10.77.1.1:100000"}) {
    EXPECT_THAT(IpEndpoint::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         HasSubstr(absl::StrCat("endpoint \"", text, "\": expected"))))
        << text;
  }
}

TEST(IpEndpointTest, TruncationAtEveryLengthIsRefusedOrAnotherPort) {
  for (const absl::string_view text :
       {absl::string_view("10.77.1.1:8080"), absl::string_view("[fd00::1]:8080")}) {
    for (size_t length = 0; length < text.size(); ++length) {
      EXPECT_EQ(IpEndpoint::Parse(text.substr(0, length)).ok(), length > text.rfind(':') + 1);
    }
  }
}

TEST(IpEndpointTest, EqualEndpointsHashAlike) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {IpEndpoint{IpAddress::FromV4({10, 0, 0, 1}), 1},
       IpEndpoint{IpAddress::FromV4({10, 0, 0, 1}), 2},
       IpEndpoint{IpAddress::FromV4({10, 0, 0, 2}), 1}}));
}

}  // namespace
}  // namespace autopxe
