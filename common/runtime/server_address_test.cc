#include "common/runtime/server_address.h"

#include <string>

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;

TEST(ServerAddressTest, NamesAndAddressesWithAndWithoutAPort) {
  const struct {
    const char* text;
    const char* expected;
  } kCases[] = {
      {"127.0.0.1:7766", "127.0.0.1:7766"},
      {"127.0.0.1", "127.0.0.1:7766"},
      {"autopxe.example.net:80", "autopxe.example.net:80"},
      {"localhost", "localhost:7766"},
      {"[fd00::1]:65535", "[fd00::1]:65535"},
      {"[::1]", "[::1]:7766"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ParseServerAddress(c.text), IsOkAndHolds(std::string(c.expected))) << c.text;
  }
}

TEST(ServerAddressTest, WhatIsNoAddressIsNamedWithWhatIsExpected) {
  for (const char* text : {"",
                           ":7766",
                           "a:",
                           "a:0",
                           "a:65536",
                           "a:-1",
                           "a:+1",
                           "a: 1",
                           "a:1:2",
                           "::1",
                           "fd00::1:7766",
                           "[::1",
                           "[::1]7766",
                           "[10.0.0.1]:1",
                           "[x]:1",
                           "http://a:1",
                           "unix:/x",
                           "a b:1",
                           "a\n:1",
                           "-a:1",
                           "\xc3\xa4:1",
                           "a:99999999999999999999"}) {
    EXPECT_THAT(ParseServerAddress(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("expected host:port")))
        << text;
  }
}

}  // namespace
}  // namespace autopxe
