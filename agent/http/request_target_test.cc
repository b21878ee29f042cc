#include "agent/http/request_target.h"

#include <map>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

using ::testing::HasSubstr;

TEST(RequestTargetTest, ThePathAndTheQueryAreDecodedOnce) {
  const struct {
    std::string text;
    RequestTarget expected;
  } kCases[] = {
      {"/", {"/", {}}},
      {"/boot.ipxe", {"/boot.ipxe", {}}},
      {"/boot%2eipxe", {"/boot.ipxe", {}}},
      {"/a%2Fb", {"/a/b", {}}},
      {"/%252e", {"/%2e", {}}},
      {"/a+b", {"/a+b", {}}},
      {"/6.12.9+bpo~1", {"/6.12.9+bpo~1", {}}},
      {"/caf%C3%A9", {"/caf\xc3\xa9", {}}},
      {"/a?", {"/a", {}}},
      {"/a?&&", {"/a", {}}},
      {"/a?b", {"/a", {{"b", ""}}}},
      {"/a?b=", {"/a", {{"b", ""}}}},
      {"/a?b=c=d", {"/a", {{"b", "c=d"}}}},
      {"/a?b=1&b=2", {"/a", {{"b", "1"}}}},
      {"/a?b?c=d", {"/a", {{"b?c", "d"}}}},
      {"/autopxe-525400123456?stage=poll&platform=efi&serial=A%20B+C%26d%3D",
       {"/autopxe-525400123456", {{"stage", "poll"}, {"platform", "efi"}, {"serial", "A B+C&d="}}}},
      {"http://10.77.1.1:8080/boot.ipxe?a=b", {"/boot.ipxe", {{"a", "b"}}}},
      {"http://agent", {"/", {}}},
      {"http://agent?x=a/b", {"/", {{"x", "a/b"}}}},
      {"/http://x/y", {"/http://x/y", {}}},
      {"//", {"//", {}}},
      {"/../etc/passwd", {"/../etc/passwd", {}}},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ParseRequestTarget(c.text), IsOkAndHolds(c.expected)) << c.text;
  }
}

// Faults, case 26.
TEST(RequestTargetTest, WhatDoesNotDecodeIsRefused) {
  const std::vector<std::string> kCases = {
      "",
      "*",
      "boot.ipxe",
      "example.org:80",
      "../etc/passwd",
      "/%",
      "/%2",
      "/%zz",
      "/%2g",
      "/%-1",
      "/a%00b",
      "/%00",
      "/a?b=%00",
      "/a?b=%",
      "/a?%zz=1",
      // Overlong '/' and '.', a lone continuation, a cut character, a surrogate, beyond U+10FFFF,
      // and what is no lead at all.
      "/%c0%af",
      "/%c0%ae%c0%ae/etc/passwd",
      "/%e0%80%af",
      "/%f0%80%80%af",
      "/%80",
      "/%c3",
      "/%e2%82",
      "/%ed%a0%80",
      "/%f4%90%80%80",
      "/%ff",
      "/\xc0\xaf",
  };
  for (const std::string& target : kCases) {
    EXPECT_THAT(ParseRequestTarget(target),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("request target \"")))
        << target;
  }
}

TEST(RequestTargetTest, RandomBytesNeverCrashAndNeverHideANul) {
  std::mt19937 random(5);
  const std::string alphabet = "/%?&=0123456789abcdef.:";
  for (int i = 0; i < 100'000; ++i) {
    std::string text = "/";
    const size_t length = random() % 20;
    for (size_t n = 0; n < length; ++n) {
      text +=
          random() % 8 == 0 ? static_cast<char>(random()) : alphabet[random() % alphabet.size()];
    }
    const auto target = ParseRequestTarget(text);
    if (target.ok()) {
      ASSERT_EQ(target->path[0], '/');
      ASSERT_THAT(target->path, ::testing::Not(HasSubstr(std::string(1, '\0')))) << text;
    }
  }
}

}  // namespace
}  // namespace autopxe::agent
