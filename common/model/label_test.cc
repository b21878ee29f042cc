#include "common/model/label.h"

#include <random>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;

LabelKey Key(absl::string_view text) { return LabelKey::Parse(text).value(); }
LabelValue Value(absl::string_view text) { return LabelValue::Parse(text).value(); }

template <typename Text>
void ExpectRefused(const std::string& text) {
  const absl::StatusOr<Text> parsed = Text::Parse(text);
  ASSERT_THAT(parsed, StatusIs(absl::StatusCode::kInvalidArgument)) << text;
  ASSERT_LT(parsed.status().message().size(), 1000u);
  // The message may be shown on a terminal and in a log.
  for (const char c : parsed.status().message()) {
    ASSERT_TRUE(c >= 0x20 && c < 0x7f) << parsed.status();
  }
}

TEST(LabelTest, KeysAreWordsWithOrWithoutAPrefix) {
  const std::string word(63, 'a');
  const std::string prefix = absl::StrCat(std::string(126, 'a'), ".", std::string(126, 'b'));
  ASSERT_EQ(prefix.size(), 253u);
  for (const std::string& text :
       {std::string("a"), std::string("0"), std::string("Z"), std::string("rack"),
        std::string("Rack_1.b-c"), std::string("a--b..c__d"), std::string("in"),
        std::string("notin"), std::string("example.org/rack"), std::string("e/Rack"),
        std::string("a-b.0.c/9"), std::string("topology.kubernetes.io/zone"), word,
        absl::StrCat(prefix, "/", word)}) {
    const absl::StatusOr<LabelKey> key = LabelKey::Parse(text);
    ASSERT_THAT(key, IsOk()) << text;
    EXPECT_EQ(key->text(), text);
  }
  for (const std::string& text : {std::string("-a"),
                                  std::string("a-"),
                                  std::string("_a"),
                                  std::string("a_"),
                                  std::string(".a"),
                                  std::string("a."),
                                  std::string("/"),
                                  std::string("/a"),
                                  std::string("a/"),
                                  std::string("a//b"),
                                  std::string("a/b/c"),
                                  std::string("E/a"),
                                  std::string("a_b/c"),
                                  std::string("a..b/c"),
                                  std::string(".a/c"),
                                  std::string("a./c"),
                                  std::string("-a/c"),
                                  std::string("a-/c"),
                                  std::string("a.-b/c"),
                                  std::string("a.b-/c"),
                                  std::string("a/-b"),
                                  std::string("a/b."),
                                  word + "a",
                                  "a/" + word + "a",
                                  prefix + "b/" + word,
                                  std::string(1 << 20, 'a'),
                                  std::string(1 << 20, '/'),
                                  std::string(1 << 20, '.') + "/a"}) {
    ExpectRefused<LabelKey>(text);
  }
}

TEST(LabelTest, ValuesAreWordsOrEmpty) {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("0"), std::string("R1"), std::string("true"),
        std::string("6.1.0-18_amd64"), std::string("in"), std::string(63, 'a')}) {
    const absl::StatusOr<LabelValue> value = LabelValue::Parse(text);
    ASSERT_THAT(value, IsOk()) << text;
    EXPECT_EQ(value->text(), text);
  }
  for (const std::string& text :
       {std::string("-"), std::string("-a"), std::string("a-"), std::string("_a"),
        std::string("a."), std::string("a/b"), std::string("a+b"), std::string("a:b"),
        std::string(64, 'a'), std::string(1 << 20, 'a')}) {
    ExpectRefused<LabelValue>(text);
  }
}

// faults.md 31.
TEST(LabelTest, HostileTextIsNeitherKeyNorValue) {
  for (const std::string& text :
       {std::string("a\nb"),        std::string("a\n"),         std::string("a\r\nshell"),
        std::string("a#b"),         std::string("${net0/mac}"), std::string("a${b}c"),
        std::string("a||shell"),    std::string("a && reboot"), std::string("a;b"),
        std::string("\"a\""),       std::string("'a'"),         std::string("a b"),
        std::string(" a"),          std::string("a "),          std::string("a\tb"),
        std::string("a\0b", 3),     std::string("\x1b[2J"),     std::string("a\x7f"),
        std::string("b\xc3\xbcro"), std::string("\xff\xfe"),    std::string("../../etc/shadow"),
        std::string("a\\b"),        std::string("`a`"),         std::string("$(a)"),
        std::string("a=b"),         std::string("a,b"),         std::string("!a"),
        std::string("(a)"),         std::string("a<b")}) {
    ExpectRefused<LabelKey>(text);
    ExpectRefused<LabelValue>(text);
  }
  ExpectRefused<LabelKey>("");
}

TEST(LabelTest, ErrorsNameTheTextAndTheRule) {
  EXPECT_THAT(LabelKey::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "label key \"a b\": expected 1 to 63 letters, digits, '-', '_', '.', the "
                       "first and the last a letter or a digit, after at most one prefix such as "
                       "example.org/"));
  EXPECT_THAT(LabelKey::Parse("A.b/c"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "label key \"A.b/c\": expected a prefix of lower-case letters, digits and "
                       "inner '-', in parts joined by dots, 253 characters at most, before the "
                       "'/'"));
  EXPECT_THAT(LabelValue::Parse("a b"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "label value \"a b\": expected nothing, or 1 to 63 letters, digits, '-', "
                       "'_', '.', the first and the last a letter or a digit"));
}

TEST(LabelTest, ALabelIsAKeyAndAValue) {
  EXPECT_THAT(ParseLabel("rack=r1"), IsOkAndHolds(Pair(Key("rack"), Value("r1"))));
  EXPECT_THAT(ParseLabel("rack="), IsOkAndHolds(Pair(Key("rack"), Value(""))));
  EXPECT_THAT(ParseLabel("example.org/Rack=R1.a"),
              IsOkAndHolds(Pair(Key("example.org/Rack"), Value("R1.a"))));
}

TEST(LabelTest, WhatIsNoLabelIsRefusedByItsWrongPart) {
  const struct {
    const char* text;
    const char* why;
  } kCases[] = {
      {"", "label \"\": expected a key, '=' and a value, such as rack=r1"},
      {"rack", "label \"rack\": expected a key, '=' and a value"},
      {"rack:r1", "label \"rack:r1\": expected a key, '=' and a value"},
      {"=", "label key \"\": expected 1 to 63"},
      {"=r1", "label key \"\": expected 1 to 63"},
      {"rack =r1", "label key \"rack \": expected 1 to 63"},
      {"rack= r1", "label value \" r1\": expected nothing, or"},
      {"rack==r1", "label value \"=r1\": expected nothing, or"},
      {"rack!=r1", "label key \"rack!\": expected 1 to 63"},
      {"rack=r1,gpu=a100", "label value \"r1,gpu=a100\": expected nothing, or"},
      {"rack=r1\n", "label value \"r1\\n\": expected nothing, or"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(ParseLabel(c.text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why)))
        << c.text;
  }
  for (const char c : {'=', '/', '.', 'a', '\0'}) {
    const auto parsed = ParseLabel(std::string(100'000, c));
    ASSERT_THAT(parsed, StatusIs(absl::StatusCode::kInvalidArgument));
    EXPECT_LT(parsed.status().message().size(), 1000u);
  }
}

TEST(LabelTest, LabelsAreShownInTheOrderOfTheirKeys) {
  EXPECT_EQ(FormatLabels({}), "");
  EXPECT_EQ(FormatLabels({{Key("rack"), Value("")}}), "rack=");
  EXPECT_EQ(FormatLabels({{Key("rack"), Value("r1")}, {Key("gpu"), Value("a100")}}),
            "gpu=a100,rack=r1");
}

TEST(LabelTest, WhatParsesIsShownAsItWasWritten) {
  constexpr absl::string_view kCharacters = "aZ09-_./=";
  std::mt19937 random(1);
  int labels = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (size_t length = random() % 10; text.size() < length;) {
      text += kCharacters[random() % kCharacters.size()];
    }
    const auto label = ParseLabel(text);
    if (!label.ok()) continue;
    ++labels;
    EXPECT_EQ(FormatLabels({*label}), text);
  }
  EXPECT_GT(labels, 200);
}

}  // namespace
}  // namespace autopxe
