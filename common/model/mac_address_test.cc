#include "common/model/mac_address.h"

#include <cstddef>
#include <random>
#include <string>

#include "absl/hash/hash_testing.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// faults.md 32.
TEST(MacAddressTest, EveryUsualSpellingIsTheSameHost) {
  const MacAddress expected = MacAddress::FromNumber(0x52540012abce);
  for (const char* text : {"52:54:00:12:ab:ce", "52:54:00:12:AB:CE", "52:54:0:12:ab:ce",
                           "52-54-00-12-ab-ce", "52-54-0-12-AB-cE", "52540012abce", "52540012ABCE",
                           "52540012aBcE", "5254.0012.abce", "5254.0012.ABCE"}) {
    EXPECT_THAT(MacAddress::Parse(text), IsOkAndHolds(expected)) << text;
    EXPECT_TRUE(MacAddress::Resembles(text)) << text;
  }
  EXPECT_THAT(MacAddress::Parse("2:0:0:a:b:c"),
              IsOkAndHolds(MacAddress::FromNumber(0x0200000a0b0c)));
  EXPECT_THAT(MacAddress::Parse("2-0-0-a-b-c"),
              IsOkAndHolds(MacAddress::FromNumber(0x0200000a0b0c)));
}

TEST(MacAddressTest, RandomAddressesComeBackFromEverySpelling) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 2000; ++i) {
    const MacAddress mac = MacAddress::FromNumber(random() & 0xfeff'ffff'ffff);
    const std::string colons = mac.Format();
    const std::string raw = mac.FormatHexRaw();
    const std::string dashes = mac.FormatDashed();
    EXPECT_EQ(dashes, absl::StrReplaceAll(colons, {{":", "-"}}));
    const std::string dots =
        absl::StrCat(raw.substr(0, 4), ".", raw.substr(4, 4), ".", raw.substr(8));
    for (const std::string& text : {colons, raw, dashes, dots}) {
      EXPECT_THAT(MacAddress::Parse(text), IsOkAndHolds(mac));
      EXPECT_THAT(MacAddress::Parse(absl::AsciiStrToUpper(text)), IsOkAndHolds(mac));
    }
    EXPECT_EQ(MacAddress::FromNumber(mac.ToNumber()), mac);
    EXPECT_EQ(MacAddress::FromOctets(mac.octets()), mac);
  }
}

TEST(MacAddressTest, RefusesWhatIsNoAddressAndSaysWhy) {
  const struct {
    const char* text;
    const char* why;
  } kCases[] = {
      {"", "expected six octets"},
      {"host", "expected six octets"},
      {"52:54:00:12:34", "expected 6 octets, got 5"},
      {"52:54:00:12:34:56:78", "expected 6 octets, got 7"},
      {"52:54:00:12:34:", "one or two hexadecimal digits"},
      {":52:54:00:12:34", "one or two hexadecimal digits"},
      {"52:54:00:12:34:056", "one or two hexadecimal digits"},
      {"52:54:00:12:34:5g", "one or two hexadecimal digits"},
      {"52:54:00:12:34-56", "expected 6 octets, got 5"},
      {"52-54-00:12:34:56", "expected 6 octets, got 4"},
      {"52540012345", "expected 12 hexadecimal digits, got 11"},
      {"5254001234567", "expected 12 hexadecimal digits, got 13"},
      {"5254.0012", "three groups of four"},
      {"5254.0012.345", "three groups of four"},
      {"525.40012.3456", "three groups of four"},
      {" 52:54:00:12:34:56", "one or two hexadecimal digits"},
      {"52:54:00:12:34:56 ", "one or two hexadecimal digits"},
      {"0x5254001234", "expected six octets"},
      {"+2:54:00:12:34:56", "one or two hexadecimal digits"},
      {"ff:ff:ff:ff:ff:ff", "multicast or broadcast"},
      {"01:00:5e:00:00:01", "multicast or broadcast"},
      {"33-33-00-00-00-01", "multicast or broadcast"},
      {"00:00:00:00:00:00", "zero address"},
      {"0000.0000.0000", "zero address"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(
        MacAddress::Parse(c.text),
        StatusIs(absl::StatusCode::kInvalidArgument,
                 AllOf(HasSubstr(absl::StrCat("mac \"", c.text, "\": ")), HasSubstr(c.why))))
        << c.text;
  }
}

TEST(MacAddressTest, NamesTheValueInOneLine) {
  EXPECT_THAT(MacAddress::Parse("52:54:00:12:34"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "mac \"52:54:00:12:34\": expected 6 octets, got 5"));
}

// faults.md 31, 32.
TEST(MacAddressTest, RefusesHostileText) {
  for (const std::string& text :
       {std::string("52:54:00:12:34:56\n"), std::string("52:54:00:12:34:5\0", 17),
        std::string("52:54:00:12:34:56 || shell"), std::string("${mac}"),
        std::string("52\xc2\xad:54:00:12:34:56"), std::string(1 << 20, ':'),
        std::string(1 << 20, 'a')}) {
    const absl::StatusOr<MacAddress> mac = MacAddress::Parse(text);
    ASSERT_THAT(mac, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_LT(mac.status().message().size(), 1000u);
    EXPECT_EQ(mac.status().message().find('\n'), absl::string_view::npos);
  }
}

TEST(MacAddressTest, TruncationAtEveryLengthIsRefusedOrAnAddressOfItsOwn) {
  for (const absl::string_view text :
       {absl::string_view("52:54:00:12:34:56"), absl::string_view("52-54-00-12-34-56"),
        absl::string_view("525400123456"), absl::string_view("5254.0012.3456")}) {
    for (size_t length = 0; length < text.size(); ++length) {
      const absl::StatusOr<MacAddress> mac = MacAddress::Parse(text.substr(0, length));
      // Only the last octet's leading zero may be absent.
      const bool is_short_octet = text.size() == 17 && length == 16;
      EXPECT_EQ(mac.ok(), is_short_octet) << text.substr(0, length);
    }
  }
}

TEST(MacAddressTest, WhatParsesResemblesAMacAndSoDoesWhatWasMeantAsOne) {
  for (const char* text : {":", "52:54:00:12:34", "ff:ff:ff:ff:ff:ff", "ffffffffffff",
                           "52-54-00-12-34", "52-54-00-12-34-56-78", "0000.0000.0000"}) {
    EXPECT_TRUE(MacAddress::Resembles(text)) << text;
  }
  for (const char* text :
       {"", "host", "node-1", "dead-beef", "10-77-10-20", "a-b-c-d-e", "5254001234", "52540012345g",
        "beef.cafe", "beef.cafe.com", "a.b.c", "52-54-00-12-34-5g"}) {
    EXPECT_FALSE(MacAddress::Resembles(text)) << text;
  }
}

TEST(MacAddressTest, SortsAsItsNumberDoes) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t a = random() >> 16;
    const uint64_t b = random() >> 16;
    EXPECT_EQ(MacAddress::FromNumber(a) < MacAddress::FromNumber(b), a < b);
    EXPECT_EQ(MacAddress::FromNumber(a).Format() < MacAddress::FromNumber(b).Format(), a < b);
  }
}

TEST(MacAddressTest, EqualAddressesHashAlike) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {MacAddress::FromNumber(0), MacAddress::FromNumber(1),
       MacAddress::FromNumber(0x525400123456)}));
}

}  // namespace
}  // namespace autopxe
