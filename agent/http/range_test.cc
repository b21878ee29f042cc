#include "agent/http/range.h"

#include <random>
#include <string>
#include <variant>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

// Faults, case 27.
TEST(RangeTest, FieldsMeanWhatTheRfcSays) {
  constexpr uint64_t kLarge = 5'000'000'000;
  const struct {
    std::string field;
    uint64_t size;
    RequestedRange expected;
  } kCases[] = {
      // Single and open.
      {"bytes=0-0", 10, ByteRange{0, 1}},
      {"bytes=0-9", 10, ByteRange{0, 10}},
      {"bytes=3-5", 10, ByteRange{3, 3}},
      {"bytes=9-9", 10, ByteRange{9, 1}},
      {"bytes=3-", 10, ByteRange{3, 7}},
      {"bytes=0-", 10, ByteRange{0, 10}},
      {"BYTES=3-5", 10, ByteRange{3, 3}},
      {"bytes= 3-5 ", 10, ByteRange{3, 3}},
      {"bytes=,3-5,, ", 10, ByteRange{3, 3}},
      // Cut at the end.
      {"bytes=5-10", 10, ByteRange{5, 5}},
      {"bytes=5-99999999999999999999999", 10, ByteRange{5, 5}},
      // Suffix.
      {"bytes=-1", 10, ByteRange{9, 1}},
      {"bytes=-10", 10, ByteRange{0, 10}},
      {"bytes=-11", 10, ByteRange{0, 10}},
      {"bytes=-99999999999999999999999", 10, ByteRange{0, 10}},
      {"bytes=-0", 10, UnsatisfiableRange()},
      // Beyond the end.
      {"bytes=10-", 10, UnsatisfiableRange()},
      {"bytes=10-20", 10, UnsatisfiableRange()},
      {"bytes=99999999999999999999999-", 10, UnsatisfiableRange()},
      {"bytes=18446744073709551615-18446744073709551615", 10, UnsatisfiableRange()},
      // Beyond 2^31.
      {"bytes=2147483648-2147483657", kLarge, ByteRange{2'147'483'648, 10}},
      {"bytes=4294967296-", kLarge, ByteRange{4'294'967'296, kLarge - 4'294'967'296}},
      {"bytes=-4294967297", kLarge, ByteRange{kLarge - 4'294'967'297, 4'294'967'297}},
      // Reversed.
      {"bytes=5-3", 10, WholeContent()},
      {"bytes=20-15", 10, WholeContent()},
      // Several.
      {"bytes=0-1,3-4", 10, WholeContent()},
      {"bytes=0-1,20-30", 10, WholeContent()},
      // Nothing in it.
      {"bytes=0-", 0, UnsatisfiableRange()},
      {"bytes=0-0", 0, UnsatisfiableRange()},
      {"bytes=-1", 0, WholeContent()},
      // Malformed, or another unit.
      {"", 10, WholeContent()},
      {"bytes", 10, WholeContent()},
      {"bytes=", 10, WholeContent()},
      {"bytes=-", 10, WholeContent()},
      {"bytes=1", 10, WholeContent()},
      {"bytes=a-b", 10, WholeContent()},
      {"bytes=0x0-5", 10, WholeContent()},
      {"bytes=+1-5", 10, WholeContent()},
      {"bytes=1-5-7", 10, WholeContent()},
      {"bytes=--1", 10, WholeContent()},
      {"bytes=1 -5", 10, WholeContent()},
      {"bytes =1-5", 10, WholeContent()},
      {"bytes:1-5", 10, WholeContent()},
      {"items=1-5", 10, WholeContent()},
  };
  for (const auto& c : kCases) {
    EXPECT_TRUE(ParseRange(c.field, c.size) == c.expected) << c.field << " of " << c.size;
  }
}

TEST(RangeTest, NoFieldLeadsOutsideTheContent) {
  std::mt19937_64 random(3);
  const std::string alphabet = "0123456789-,= b";
  for (int i = 0; i < 200'000; ++i) {
    std::string field = "bytes=";
    const size_t length = random() % 26;
    for (size_t n = 0; n < length; ++n) field += alphabet[random() % alphabet.size()];
    const uint64_t size = random() >> (random() % 64);
    const RequestedRange requested = ParseRange(field, size);
    if (const auto* range = std::get_if<ByteRange>(&requested)) {
      ASSERT_GE(range->length, 1u) << field;
      ASSERT_LT(range->first, size) << field;
      ASSERT_LE(range->length, size - range->first) << field;
    }
  }
}

TEST(RangeTest, TheAnswersFieldsAreThoseOfTheRfc) {
  EXPECT_EQ(FormatContentRange({0, 500}, 1234), "bytes 0-499/1234");
  EXPECT_EQ(FormatContentRange({1233, 1}, 1234), "bytes 1233-1233/1234");
  EXPECT_EQ(FormatUnsatisfiedRange(1234), "bytes */1234");
}

}  // namespace
}  // namespace autopxe::agent
