#include "ctl/input_file.h"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "ctl/exit_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

constexpr size_t kLargest = 32 << 20;

std::string Refusal(const std::string& path, const std::string& standard_input = "") {
  std::istringstream in(standard_input);
  const absl::Status status = ReadInput(path, in).status();
  EXPECT_EQ(ExitCodeOf(status), kExitUsage);
  return std::string(status.message());
}

TEST(InputFileTest, AFileAndStandardInputAreReadWhole) {
  const std::string path = absl::StrCat(testing::TempDir(), "/input_file");
  const std::string text("a\nb\0\xff", 5);
  std::ofstream(path) << text;
  std::istringstream in("from the other");
  EXPECT_THAT(ReadInput(path, in), IsOkAndHolds(text));
  EXPECT_THAT(ReadInput("-", in), IsOkAndHolds("from the other"));
  EXPECT_FALSE(ReadInput("-", in).ok()) << "a second time";
  EXPECT_THAT(ReadInput("/dev/null", in), IsOkAndHolds(""));
}

TEST(InputFileTest, WhatCantBeReadIsNamedWithTheSystemsReason) {
  EXPECT_EQ(Refusal("/nonexistent"), "can't read \"/nonexistent\": No such file or directory");
  EXPECT_EQ(Refusal("/"), "can't read \"/\": Is a directory");
}

TEST(InputFileTest, WhatIsTooLargeIsSaidToBeThat) {
  const std::string path = absl::StrCat(testing::TempDir(), "/large");
  std::ofstream(path) << "";
  std::filesystem::resize_file(path, kLargest);
  std::istringstream in;
  EXPECT_TRUE(ReadInput(path, in).ok());
  std::filesystem::resize_file(path, kLargest + 1);
  EXPECT_THAT(Refusal(path), testing::EndsWith(" is larger than 32 MiB: split it"));
  std::filesystem::remove(path);
  EXPECT_EQ(Refusal("-", std::string(kLargest + 1, 'x')),
            "standard input is larger than 32 MiB: split it");
}

}  // namespace
}  // namespace autopxe::ctl
