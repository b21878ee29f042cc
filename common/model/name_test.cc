#include "common/model/name.h"

#include <cstddef>
#include <random>
#include <string>
#include <vector>

#include "absl/hash/hash_testing.h"
#include "absl/strings/str_cat.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// faults.md 31: text that would be a command, an expansion or an escape somewhere.
std::vector<std::string> HostileTexts() {
  return {"",
          "a\nb",
          "a\r\nshell",
          "a#b",
          "${net0/mac}",
          "a${b}c",
          "a||shell",
          "a && reboot",
          "a;b",
          "\"a\"",
          "'a'",
          "a b",
          " a",
          "a ",
          "a\tb",
          std::string("a\0b", 3),
          "\x1b[2J",
          "a\x7f",
          "b\xc3\xbcro",
          "\xff\xfe",
          "../../etc/shadow",
          "a/b",
          "a\\b",
          "`a`",
          "$(a)"};
}

template <typename Text>
void ExpectRefused(const std::string& text) {
  const absl::StatusOr<Text> parsed = Text::Parse(text);
  ASSERT_THAT(parsed, StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  // The message may be shown on a terminal and in a log.
  for (const char c : parsed.status().message()) {
    ASSERT_TRUE(c >= 0x20 && c < 0x7f) << parsed.status();
  }
}

TEST(NameTest, HostileTextIsNoName) {
  for (const std::string& text : HostileTexts()) {
    ExpectRefused<ProfileName>(text);
    ExpectRefused<VariableName>(text);
    ExpectRefused<AgentId>(text);
    ExpectRefused<AgentInstance>(text);
    ExpectRefused<HostName>(text);
  }
}

TEST(NameTest, SimpleNamesAreLettersDigitsAndInnerSigns) {
  for (const char* text : {"a", "0", "overlayfs", "nfs-server", "Nfs_RW.2", "a-", "a.", "x__y"}) {
    EXPECT_THAT(ProfileName::Parse(text), IsOk()) << text;
    EXPECT_THAT(VariableName::Parse(text), IsOk()) << text;
    EXPECT_THAT(AgentId::Parse(text), IsOk()) << text;
    EXPECT_THAT(AgentInstance::Parse(text), IsOk()) << text;
  }
  for (const char* text : {"-a", ".a", "_a", "a+b", "a~b", "a:b", "a,b", "a=b"}) {
    EXPECT_THAT(ProfileName::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  }
  EXPECT_THAT(ProfileName::Parse(std::string(64, 'a')), IsOk());
  EXPECT_THAT(ProfileName::Parse(std::string(65, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(NameTest, ErrorsNameTheKindTheTextAndTheRule) {
  EXPECT_THAT(ProfileName::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("profile name \"a b\": "), HasSubstr("1 to 64 letters"))));
  EXPECT_THAT(VariableName::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("variable name \"a b\": ")));
  EXPECT_THAT(AgentId::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("agent id \"a b\": ")));
  EXPECT_THAT(AgentInstance::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("agent instance \"a b\": ")));
  EXPECT_THAT(HostName::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("host name \"a b\": ")));
}

TEST(NameTest, HostNamesAreThoseOfRfc1123) {
  const std::string label(63, 'a');
  const std::string longest =
      absl::StrCat(label, ".", label, ".", label, ".", std::string(61, 'b'));
  ASSERT_EQ(longest.size(), 253u);
  for (const std::string& text :
       {std::string("a"), std::string("rack1-17"), std::string("a.example.org"),
        std::string("3com"), std::string("10-77-10-20"), std::string("dead-beef"), label,
        longest}) {
    EXPECT_THAT(HostName::Parse(text), IsOk()) << text;
  }
  for (const std::string& text :
       {std::string("A"), std::string("-a"), std::string("a-"), std::string("a..b"),
        std::string(".a"), std::string("a."), std::string("a_b"), std::string("a.-b"),
        std::string(64, 'a'), longest + "b", std::string(1 << 20, '.')}) {
    EXPECT_THAT(HostName::Parse(text), StatusIs(absl::StatusCode::kInvalidArgument)) << text.size();
  }
}

// faults.md 32.
TEST(NameTest, AMacIsAHostNameInItsOneSpellingOnly) {
  EXPECT_THAT(HostName::Parse("52:54:00:12:34:56"), IsOk());
  for (const char* text : {"52:54:0:12:34:56", "52-54-00-12-34-56", "525400123456",
                           "5254.0012.3456", "BC:24:11:B0:1A:DE"}) {
    EXPECT_THAT(HostName::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is written ")))
        << text;
  }
  for (const char* text : {"ff:ff:ff:ff:ff:ff", "ffffffffffff", "52:54:00:12:34", "52-54-00-12-34",
                           "0000.0000.0000"}) {
    EXPECT_THAT(HostName::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mac \"")))
        << text;
  }
  const MacAddress mac = MacAddress::FromNumber(0xbc2411b01ade);
  EXPECT_EQ(NameByMac(mac).text(), "bc:24:11:b0:1a:de");
}

// faults.md 32.
TEST(HostReferenceTest, EverySpellingOfAMacIsTheMac) {
  const HostReference expected = MacAddress::FromNumber(0xbc2411b01ade);
  for (const char* text : {"bc:24:11:b0:1a:de", "BC-24-11-B0-1A-DE", "bc2411b01ade", "BC2411B01ADE",
                           "bc24.11b0.1ade"}) {
    EXPECT_THAT(ParseHostReference(text), IsOkAndHolds(expected)) << text;
  }
  EXPECT_EQ(FormatHostReference(expected), "bc:24:11:b0:1a:de");
}

TEST(HostReferenceTest, NamesAreFoundInAnyLetterCase) {
  const HostReference expected = HostName::Parse("rack1.example.org").value();
  EXPECT_THAT(ParseHostReference("rack1.example.org"), IsOkAndHolds(expected));
  EXPECT_THAT(ParseHostReference("Rack1.EXAMPLE.org"), IsOkAndHolds(expected));
  EXPECT_EQ(FormatHostReference(expected), "rack1.example.org");
}

TEST(HostReferenceTest, WhatIsNeitherSaysWhatAHostMayBeCalled) {
  EXPECT_THAT(ParseHostReference("52:54:00:12:34"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "mac \"52:54:00:12:34\": expected 6 octets, got 5"));
  for (const std::string& text : HostileTexts()) {
    EXPECT_THAT(ParseHostReference(text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("host \""), HasSubstr("neither a MAC such as"))))
        << text;
  }
  EXPECT_THAT(ParseHostReference(std::string(1 << 20, 'a')),
              StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(HostReferenceTest, EveryNameRefersToItselfOrItsMac) {
  // Of the characters that names and MACs share, so that random text is often nearly one or the
  // other.
  constexpr absl::string_view kCharacters = "0123456789abcdef.-:";
  std::mt19937 random(3);
  int names = 0;
  for (int i = 0; i < 100000; ++i) {
    std::string text;
    for (size_t length = 1 + random() % 18; text.size() < length;) {
      text += kCharacters[random() % kCharacters.size()];
    }
    const absl::StatusOr<HostName> name = HostName::Parse(text);
    if (!name.ok()) continue;
    ++names;
    const absl::StatusOr<HostReference> reference = ParseHostReference(text);
    ASSERT_THAT(reference, IsOk()) << text;
    EXPECT_EQ(FormatHostReference(*reference), text);
  }
  EXPECT_GT(names, 1000);
}

TEST(VariableValueTest, IsPrintableAndNeverExpanded) {
  for (const std::string& text :
       {std::string(), std::string("172.25.2.11"), std::string("a b  c"), std::string("\"#||&&'"),
        std::string("$x {y} $"), std::string(1024, 'a')}) {
    EXPECT_THAT(VariableValue::Parse(text), IsOk()) << text;
  }
  // faults.md 31.
  for (const std::string& text :
       {std::string("${x}"), std::string("a${"), std::string("a\nb"), std::string("\t"),
        std::string("\x7f"), std::string("b\xc3\xbcro"), std::string("a\0", 2),
        std::string(1025, 'a')}) {
    ExpectRefused<VariableValue>(text);
  }
}

TEST(RootfsPathPrefixTest, IsAnAbsolutePathWithoutDetours) {
  for (const std::string& text : {std::string("/"), std::string("/pxe"), std::string("/pxe/rootfs"),
                                  std::string("/a/...b/c..d"), "/" + std::string(511, 'a')}) {
    EXPECT_THAT(RootfsPathPrefix::Parse(text), IsOk()) << text;
  }
  for (const std::string& text :
       {std::string(), std::string("pxe"), std::string("/pxe/"), std::string("//"),
        std::string("/pxe//rootfs"), std::string("/.."), std::string("/pxe/../etc"),
        std::string("/a b"), std::string("/${x}"), std::string("/a\nb"), std::string("/\xc3\xbc"),
        "/" + std::string(512, 'a')}) {
    ExpectRefused<RootfsPathPrefix>(text);
  }
}

TEST(NameTest, EqualNamesHashAlike) {
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly(
      {ProfileName::Parse("a").value(), ProfileName::Parse("b").value()}));
}

}  // namespace
}  // namespace autopxe
