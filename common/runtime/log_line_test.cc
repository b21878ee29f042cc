#include "common/runtime/log_line.h"

#include <cstdint>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

TEST(LogLineTest, KeysStandInTheOrderOfTheCalls) {
  EXPECT_EQ(LogLine("request")
                .Add("protocol", "tftp")
                .Add("bytes", 12)
                .Add("host", std::string("web-1"))
                .Add("found", true)
                .Add("grace", absl::Microseconds(12345))
                .text(),
            "event=request protocol=tftp bytes=12 host=web-1 found=true grace=0.012");
}

TEST(LogLineTest, IntegersOfEveryWidthAreWrittenWhole) {
  EXPECT_EQ(LogLine("n")
                .Add("min", INT64_MIN)
                .Add("max", UINT64_MAX)
                .Add("octet", uint8_t{200})
                .Add("small", int8_t{-3})
                .text(),
            "event=n min=-9223372036854775808 max=18446744073709551615 octet=200 small=-3");
}

// faults.md 4 and 31: what a peer or an administrator wrote never adds a line, a key or an escape
// sequence.
TEST(LogLineTest, NoValueAddsALineAKeyOrAnEscapeSequence) {
  const struct {
    std::string value;
    std::string want;
  } kCases[] = {
      {"plain/path.c32", "plain/path.c32"},
      {"", "\"\""},
      {"two words", "\"two words\""},
      {"a=b", "\"a=b\""},
      {"say \"hi\"", "\"say \\\"hi\\\"\""},
      {"back\\slash", "\"back\\\\slash\""},
      {"x\nevent=forged", "\"x\\x0aevent=forged\""},
      {"\x1b[31mred", "\"\\x1b[31mred\""},
      {"caf\xc3\xa9", "\"caf\\xc3\\xa9\""},
      {std::string("nul\0!", 5), "\"nul\\x00!\""},
      {"%s %n {} {0}", "\"%s %n {} {0}\""},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(FormatLogValue(c.value), c.want);
    EXPECT_EQ(LogLine("e").Add("k", c.value).text(), "event=e k=" + c.want);
  }
}

TEST(LogLineTest, ALongValueIsCutAndSaysSo) {
  EXPECT_EQ(FormatLogValue(std::string(1024, 'a')), std::string(1024, 'a'));
  EXPECT_EQ(FormatLogValue(std::string(1025, 'a')), std::string(1024, 'a') + "...");
}

}  // namespace
}  // namespace autopxe
