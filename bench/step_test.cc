#include "bench/step.h"

#include "common/status/status_matchers.h"
#include "gmock/gmock.h"

namespace autopxe::bench {
namespace {

TEST(StepTest, IsParsedFromAUrl) {
  const auto step = ParseStep("tftp://127.0.0.1:6969/boot/a/b");
  ASSERT_THAT(step, IsOk());
  EXPECT_EQ(step->scheme, Scheme::kTftp);
  EXPECT_EQ(step->server.Format(), "127.0.0.1:6969");
  EXPECT_EQ(step->path, "boot/a/b");
  EXPECT_TRUE(step->is_the_same_for_all());
  const auto menu = ParseStep("http://[::1]:80/autopxe-{mac}");
  ASSERT_THAT(menu, IsOk());
  EXPECT_EQ(menu->scheme, Scheme::kHttp);
  EXPECT_EQ(menu->server.Format(), "[::1]:80");
  EXPECT_FALSE(menu->is_the_same_for_all());
}

TEST(StepTest, WhatIsNoUrlIsRefusedByName) {
  for (const char* url : {"", "ftp://127.0.0.1:1/x", "http://127.0.0.1:80", "http://host:80/x",
                          "http://127.0.0.1/x"}) {
    EXPECT_THAT(ParseStep(url), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

TEST(StepTest, EachHostHasItsOwnMac) {
  EXPECT_EQ(ForHost("autopxe-{mac} {mac-colons}", 0x0102),
            "autopxe-525400000102 52:54:00:00:01:02");
}

}  // namespace
}  // namespace autopxe::bench
