#include "boot/ipxe_uri.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(IpxeUriTest, WhatTheParserOfUrisTakesForItsOwnIsEncodedAndAllElseComesThrough) {
  EXPECT_EQ(EncodeUri("a b%/#:@?&=+;$"), "a%20b%25%2F%23%3A%40%3F&=+;$");
  EXPECT_EQ(DecodeUri("a%20b%2f%2F"), "a b//");
  // What is no octet stays as it is.
  EXPECT_EQ(DecodeUri("100% %zz %4"), "100% %zz %4");
  for (int c = 1; c < 256; ++c) {
    const std::string text(3, static_cast<char>(c));
    EXPECT_EQ(DecodeUri(EncodeUri(text)), text);
  }
}

}  // namespace
}  // namespace autopxe
