#include "common/model/architecture.h"

#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(ArchitectureTest, TextsComeBack) {
  for (const char* text : {"", "i386", "x86_64", "arm32", "arm64", "riscv64"}) {
    const absl::optional<Architecture> parsed = ParseArchitecture(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_EQ(FormatArchitecture(*parsed), text);
    EXPECT_EQ(*parsed == Architecture::kUnknown, *text == '\0');
  }
}

TEST(ArchitectureTest, OtherWordsAreNone) {
  for (const char* text : {"amd64", "X86_64", "aarch64", "arm", " arm64", "unknown", "loong64"}) {
    EXPECT_FALSE(ParseArchitecture(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace autopxe
