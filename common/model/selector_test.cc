#include "common/model/selector.h"

#include <cstddef>
#include <cstdlib>
#include <map>
#include <new>
#include <string>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace {

thread_local size_t allocations = 0;

}  // namespace

// Not inlined: GCC would see free() called on what a `new` expression returned, and warn.
ABSL_ATTRIBUTE_NOINLINE void* operator new(size_t size) {
  ++allocations;
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
ABSL_ATTRIBUTE_NOINLINE void operator delete(void* memory) noexcept { std::free(memory); }
ABSL_ATTRIBUTE_NOINLINE void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace autopxe {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Operator = Selector::Operator;
using Requirement = Selector::Requirement;

LabelKey Key(absl::string_view text) { return LabelKey::Parse(text).value(); }

std::vector<LabelValue> Values(const std::vector<std::string>& texts) {
  std::vector<LabelValue> values;
  for (const std::string& text : texts) values.push_back(LabelValue::Parse(text).value());
  return values;
}

Labels MakeLabels(const std::map<std::string, std::string>& texts) {
  Labels labels;
  for (const auto& [key, value] : texts) {
    labels.emplace(Key(key), LabelValue::Parse(value).value());
  }
  return labels;
}

// The text form, or the error.
std::string Canonical(absl::string_view text) {
  const absl::StatusOr<Selector> selector = Selector::Parse(text);
  return selector.ok() ? selector->text() : std::string(selector.status().message());
}

TEST(SelectorTest, EverySpellingHasOneTextForm) {
  const struct {
    const char* text;
    const char* canonical;
  } kCases[] = {
      {"a=b", "a=b"},
      {"a==b", "a=b"},
      {"a in (b)", "a=b"},
      {" a\t=\r\n b ", "a=b"},
      {"a!=b", "a!=b"},
      {"a != b", "a!=b"},
      {"a notin (b)", "a!=b"},
      {"a in (x,y)", "a in (x,y)"},
      {"a in(x,y)", "a in (x,y)"},
      {"a  in  ( y , x , y )", "a in (x,y)"},
      {"a notin (y,x)", "a notin (x,y)"},
      {"a notin(y,x)", "a notin (x,y)"},
      {"a\nin\n(x,\n   y)\n", "a in (x,y)"},
      {"a", "a"},
      {" a ", "a"},
      {"!a", "!a"},
      {" ! a ", "!a"},
      {"b,a", "b,a"},
      {"a,a,a=b,a=b", "a,a,a=b,a=b"},
      {"b = 1 , ! c , a notin ( 2 , 1 ) , d", "b=1,!c,a notin (1,2),d"},
      {"example.org/Rack=R1", "example.org/Rack=R1"},
      {"!example.org/rack,b", "!example.org/rack,b"},
      // Empty values.
      {"a=", "a="},
      {"a==", "a="},
      {"a!=", "a!="},
      {"a = ,b", "a=,b"},
      {"a=,b!=,c==", "a=,b!=,c="},
      {"a in ()", "a="},
      {"a notin ( )", "a!="},
      {"a in (,)", "a="},
      {"a in (,x)", "a in (,x)"},
      {"a in (x,)", "a in (,x)"},
      {"a in (x,,y)", "a in (,x,y)"},
      {"a in (x, ,y),b", "a in (,x,y),b"},
      {"x in (foo,,baz),y,z notin ()", "x in (,baz,foo),y,z!="},
      // Words that are operators elsewhere.
      {"in", "in"},
      {"!in", "!in"},
      {"in,notin", "in,notin"},
      {"in=notin", "in=notin"},
      {"in in (in,notin)", "in in (in,notin)"},
      {"notin notin(notin)", "notin!=notin"},
      {"a=in", "a=in"},
      // No words: only the exact ones are operators.
      {"in2", "in2"},
      // Values sort by their octets.
      {"a in (b,B,10,9)", "a in (10,9,B,b)"},
  };
  for (const auto& c : kCases) {
    EXPECT_EQ(Canonical(c.text), c.canonical) << c.text;
    EXPECT_EQ(Canonical(c.canonical), c.canonical) << c.text;
  }
}

TEST(SelectorTest, RequirementsAreWhatIsWritten) {
  const Selector selector =
      Selector::Parse("b=2,c!=,a in (y,x,y),d notin (1,),e,!example.org/f").value();
  EXPECT_THAT(selector.requirements(),
              ElementsAre(Requirement{Key("b"), Operator::kIn, Values({"2"})},
                          Requirement{Key("c"), Operator::kNotIn, Values({""})},
                          Requirement{Key("a"), Operator::kIn, Values({"x", "y"})},
                          Requirement{Key("d"), Operator::kNotIn, Values({"", "1"})},
                          Requirement{Key("e"), Operator::kExists, {}},
                          Requirement{Key("example.org/f"), Operator::kDoesNotExist, {}}));
}

TEST(SelectorTest, EqualSelectorsHaveTheSameRequirementsInTheSameOrder) {
  EXPECT_EQ(Selector::Parse("a=b").value(), Selector::Parse("a in (b,b)").value());
  EXPECT_NE(Selector::Parse("a=b").value(), Selector::Parse("a!=b").value());
  EXPECT_NE(Selector::Parse("a").value(), Selector::Parse("A").value());
  EXPECT_NE(Selector::Parse("a,b").value(), Selector::Parse("b,a").value());
}

// As Kubernetes has it: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
// and k8s.io/apimachinery/pkg/labels, Requirement.Matches.
TEST(SelectorTest, MeansWhatItMeansInKubernetes) {
  const Labels absent = MakeLabels({{"other", "x"}});
  const Labels empty = MakeLabels({{"other", "x"}, {"a", ""}});
  const Labels x = MakeLabels({{"other", "x"}, {"a", "x"}});
  const Labels z = MakeLabels({{"other", "x"}, {"a", "z"}});
  const struct {
    const char* text;
    bool absent;
    bool empty;
    bool x;
    bool z;
  } kCases[] = {
      {"a", false, true, true, true},
      {"!a", true, false, false, false},
      {"a=x", false, false, true, false},
      {"a==x", false, false, true, false},
      {"a!=x", true, true, false, true},
      {"a=", false, true, false, false},
      {"a!=", true, false, true, true},
      {"a in (x,y)", false, false, true, false},
      {"a notin (x,y)", true, true, false, true},
      {"a in (,x)", false, true, true, false},
      {"a notin (,x)", true, false, false, true},
      {"a in ()", false, true, false, false},
      {"a notin ()", true, false, true, true},
      {"a in (x,y,z)", false, false, true, true},
      // All of them.
      {"a,a!=x", false, true, false, true},
      {"a,a notin (x,)", false, false, false, true},
      {"a!=x,a!=z", true, true, false, false},
      {"a=x,a=z", false, false, false, false},
      {"a,!a", false, false, false, false},
      {"other,a=x", false, false, true, false},
      {"other=y,a=x", false, false, false, false},
      {"!missing,a=x", false, false, true, false},
      {"missing,a=x", false, false, false, false},
      // Letter case counts, in keys and values.
      {"A", false, false, false, false},
      {"a=X", false, false, false, false},
      {"a!=X", true, true, true, true},
  };
  for (const auto& c : kCases) {
    const absl::StatusOr<Selector> selector = Selector::Parse(c.text);
    ASSERT_THAT(selector, IsOk());
    EXPECT_EQ(selector->Matches(absent), c.absent) << c.text;
    EXPECT_EQ(selector->Matches(empty), c.empty) << c.text;
    EXPECT_EQ(selector->Matches(x), c.x) << c.text;
    EXPECT_EQ(selector->Matches(z), c.z) << c.text;
  }
}

TEST(SelectorTest, AHostWithoutLabelsMeetsOnlyWhatIsNegated) {
  EXPECT_FALSE(Selector::Parse("a").value().Matches({}));
  EXPECT_FALSE(Selector::Parse("a=").value().Matches({}));
  EXPECT_FALSE(Selector::Parse("a in ()").value().Matches({}));
  EXPECT_TRUE(Selector::Parse("!a,b!=x,c notin (x,y)").value().Matches({}));
}

TEST(SelectorTest, TheEmptySelectorIsRefusedAndSaysWhatToDo) {
  EXPECT_EQ(Canonical(""),
            "selector \"\": selects every host; expected a requirement such as rack=r1. What every "
            "host boots is the setting default-distro");
  for (const std::string& text :
       {std::string(" "), std::string("\t\r\n "), std::string(4096, ' ')}) {
    EXPECT_THAT(Selector::Parse(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("selects every host")));
  }
}

TEST(SelectorTest, RefusesWhatIsNoSelectorAndSaysWhereAndWhy) {
  const struct {
    const char* text;
    const char* why;
  } kCases[] = {
      {",", "at 1: found \",\"; expected a label key or '!'"},
      {",a", "at 1: found \",\"; expected a label key or '!'"},
      {"a,", "at 3: found the end; expected a label key or '!'"},
      {"a, ", "at 4: found the end; expected a label key or '!'"},
      {"a,,b", "at 3: found \",\"; expected a label key or '!'"},
      {"!", "at 2: found the end; expected a label key"},
      {"!!a", "at 2: found \"!\"; expected a label key"},
      {"!,a", "at 2: found \",\"; expected a label key"},
      {"=b", "at 1: found \"=\"; expected a label key or '!'"},
      {"!=b", "at 1: found \"!=\"; expected a label key or '!'"},
      {"(a)", "at 1: found \"(\"; expected a label key or '!'"},
      {"a b", "at 3: found \"b\"; expected '=', '==', '!=', in, notin, ',' or the end"},
      {"a;b=c", "at 1: label key \"a;b\": expected 1 to 63"},
      {"a IN (b)", "at 3: found \"IN\"; expected '=', '==', '!=', in, notin, ',' or the end"},
      {"a !b", "at 3: found \"!\"; expected '=', '==', '!=', in, notin, ',' or the end"},
      {"a ! = b", "at 3: found \"!\"; expected '='"},
      {"a (b)", "at 3: found \"(\"; expected '='"},
      {"a>1", "at 2: found \">\"; expected '='"},
      {"a < 1", "at 3: found \"<\"; expected '='"},
      {"!a=b", "at 3: found \"=\"; expected ',' or the end"},
      {"!a in (b)", "at 4: found \"in\"; expected ',' or the end"},
      {"a===b", "at 4: found \"=\"; expected a label value, ',' or the end"},
      {"a!==b", "at 4: found \"=\"; expected a label value, ',' or the end"},
      {"a= =b", "at 4: found \"=\"; expected a label value, ',' or the end"},
      {"a=!b", "at 3: found \"!\"; expected a label value, ',' or the end"},
      {"a=(b)", "at 3: found \"(\"; expected a label value, ',' or the end"},
      {"a=b c", "at 5: found \"c\"; expected ',' or the end"},
      {"a=b=c", "at 4: found \"=\"; expected ',' or the end"},
      {"a=b)", "at 4: found \")\"; expected ',' or the end"},
      {"a=in (b)", "at 6: found \"(\"; expected ',' or the end"},
      {"a=b/c", "at 3: label value \"b/c\": expected nothing, or 1 to 63"},
      {"a=-b", "at 3: label value \"-b\": expected nothing, or 1 to 63"},
      {"a=\"b\"", "at 3: label value \"\\\"b\\\"\": expected nothing, or 1 to 63"},
      {"a in", "at 5: found the end; expected '('"},
      {"a in b", "at 6: found \"b\"; expected '('"},
      {"a in,b", "at 5: found \",\"; expected '('"},
      {"a notin=b", "at 8: found \"=\"; expected '('"},
      {"a in (", "at 7: found the end; expected a label value, ',' or ')'"},
      {"a in (b", "at 8: found the end; expected ',' or ')'"},
      {"a in (b,", "at 9: found the end; expected a label value, ',' or ')'"},
      {"a in (b c)", "at 9: found \"c\"; expected ',' or ')'"},
      {"a in ((b))", "at 7: found \"(\"; expected a label value, ',' or ')'"},
      {"a in (!b)", "at 7: found \"!\"; expected a label value, ',' or ')'"},
      {"a in (b=c)", "at 8: found \"=\"; expected ',' or ')'"},
      {"a in (b,c_)", "at 9: label value \"c_\": expected nothing, or 1 to 63"},
      {"a in (b))", "at 9: found \")\"; expected ',' or the end"},
      {"a in (b) c", "at 10: found \"c\"; expected ',' or the end"},
      {"a, b/=c", "at 4: label key \"b/\": expected 1 to 63"},
      {"A/b", "at 1: label key \"A/b\": expected a prefix"},
      {"a,!-b", "at 4: label key \"-b\": expected 1 to 63"},
  };
  for (const auto& c : kCases) {
    EXPECT_THAT(Selector::Parse(c.text),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AllOf(HasSubstr("selector \""), HasSubstr(c.why))))
        << c.text;
  }
}

TEST(SelectorTest, NamesTheTextThePositionAndWhatIsExpectedInOneLine) {
  EXPECT_EQ(Canonical("rack=r1 gpu"),
            "selector \"rack=r1 gpu\": at 9: found \"gpu\"; expected ',' or the end");
}

// `count` copies of `item` joined by commas.
std::string Repeat(absl::string_view item, size_t count) {
  return absl::StrJoin(std::vector<absl::string_view>(count, item), ",");
}

TEST(SelectorTest, IsLimitedInRequirementsValuesAndCharacters) {
  EXPECT_THAT(Selector::Parse(Repeat("a", 64)), IsOk());
  EXPECT_THAT(Selector::Parse(Repeat("a", 65)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at 129: expected 64 requirements at most")));
  EXPECT_THAT(Selector::Parse(absl::StrCat("a in (", Repeat("x", 256), ")")), IsOk());
  EXPECT_THAT(Selector::Parse(absl::StrCat("a in (", Repeat("x", 257), ")")),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at 519: expected 256 values at most")));
  EXPECT_THAT(Selector::Parse(absl::StrCat("a in (", Repeat("", 256), ")")), IsOk());
  EXPECT_THAT(Selector::Parse(absl::StrCat("a in (", Repeat("", 257), ")")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("256 values at most")));
  EXPECT_THAT(Selector::Parse("a" + std::string(4095, ' ')), IsOk());
  EXPECT_THAT(Selector::Parse("a" + std::string(4096, ' ')),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("at 4097: expected 4,096 characters at most, got 4097")));
}

TEST(SelectorTest, ItsTextFormKeepsTheLimitToo) {
  // 4,033 characters: 63 values of 63, 62 commas, two parentheses.
  std::vector<std::string> values;
  for (int i = 10; i < 73; ++i) values.push_back(absl::StrCat(i, std::string(61, 'x')));
  const std::string set = absl::StrCat("(", absl::StrJoin(values, ","), ")");
  ASSERT_EQ(set.size(), 4033u);
  const std::string key = absl::StrCat("e/", std::string(57, 'a'));
  const absl::StatusOr<Selector> longest = Selector::Parse(absl::StrCat(key, " in", set));
  ASSERT_THAT(longest, IsOk());
  EXPECT_EQ(longest->text().size(), 4096u);
  EXPECT_THAT(Selector::Parse(longest->text()), IsOkAndHolds(*longest));
  const std::string longer = absl::StrCat(key, "a in", set);
  ASSERT_EQ(longer.size(), 4096u);
  EXPECT_THAT(Selector::Parse(longer),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("got 4097 with a blank before each '('")));
}

// faults.md 31.
TEST(SelectorTest, RefusesHostileTextQuicklyAndShortly) {
  std::vector<std::string> texts = {std::string("a\0b", 3),
                                    std::string("\0", 1),
                                    std::string("a=b\0", 4),
                                    "a=\x1b[2J",
                                    "a=b\x7f",
                                    "b\xc3\xbcro",
                                    "a\xa0=b",
                                    "a\vb",
                                    "\xff\xfe",
                                    "a=${net0/mac}",
                                    "a=b || shell",
                                    "a=b;reboot",
                                    "a='b'",
                                    "a in (`b`)",
                                    "$(a)",
                                    "../../etc/shadow",
                                    "a\\b",
                                    "a\n#b"};
  const std::vector<std::string> repeated = {"(",
                                             ")",
                                             "!",
                                             ",",
                                             "=",
                                             "<",
                                             " ",
                                             "a",
                                             "a ",
                                             "a,",
                                             "a=,",
                                             "!a,",
                                             "\xff",
                                             "\"",
                                             "\\",
                                             "a in (",
                                             "/",
                                             ".",
                                             std::string(1, '\0')};
  for (const std::string& text : repeated) {
    for (const size_t size : {size_t{4096}, size_t{100'000}, size_t{1} << 20}) {
      std::string repetition;
      while (repetition.size() + text.size() <= size) repetition += text;
      texts.push_back(repetition);
      texts.push_back(absl::StrCat("a in (", repetition));
    }
  }
  for (const std::string& text : texts) {
    const absl::StatusOr<Selector> selector = Selector::Parse(text);
    ASSERT_THAT(selector, StatusIs(absl::StatusCode::kInvalidArgument)) << text.substr(0, 20);
    EXPECT_LT(selector.status().message().size(), 1500u);
    for (const char c : selector.status().message()) {
      ASSERT_TRUE(c >= 0x20 && c < 0x7f) << selector.status();
    }
  }
}

TEST(SelectorTest, MatchingAllocatesNothing) {
  const std::string long_value(60, 'x');
  const Selector selector =
      Selector::Parse(absl::StrCat("example.org/a-rather-long-key-of-a-label=", long_value,
                                   ",rack in (r1,r2),gpu notin (a100,", long_value,
                                   "),rack,!missing-with-a-long-name"))
          .value();
  const Labels labels = MakeLabels(
      {{"example.org/a-rather-long-key-of-a-label", long_value}, {"gpu", "h100"}, {"rack", "r2"}});
  const size_t before = allocations;
  const bool matches = selector.Matches(labels);
  EXPECT_EQ(allocations, before);
  EXPECT_TRUE(matches);
}

}  // namespace
}  // namespace autopxe
