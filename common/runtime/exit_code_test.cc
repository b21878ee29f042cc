#include "common/runtime/exit_code.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(ExitCodeTest, AFailureIsOneLineThatNoTerminalObeys) {
  EXPECT_EQ(FormatFailure("autopxe-agent", absl::NotFoundError("--rootfs: no such folder")),
            "autopxe-agent: --rootfs: no such folder\n");
  EXPECT_EQ(FormatFailure("autopxe-agent",
                          absl::InvalidArgumentError("a\033[31m\nb\r\x07\x7f\xc3\xa9 \\x41")),
            "autopxe-agent: a\\x1b[31m\\x0ab\\x0d\\x07\\x7f\\xc3\\xa9 \\x41\n");
}

TEST(ExitCodeTest, FailingSaysWhyAndReturnsTheCode) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(Fail("autopxe-server", kUsage, absl::InvalidArgumentError("no")), 2);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "autopxe-server: no\n");
}

}  // namespace
}  // namespace autopxe
