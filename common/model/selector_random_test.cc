// Selectors beside a second implementation, on random ones.
#include <cstddef>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/model/selector.h"
#include "common/status/status_matchers.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

// A requirement as the second implementation below sees it, and as one may write it.
struct NaiveRequirement {
  std::string key;
  std::string op;
  std::vector<std::string> values;
};

bool NaiveMatches(const NaiveRequirement& requirement,
                  const std::vector<std::pair<std::string, std::string>>& labels) {
  bool exists = false;
  bool has_value = false;
  for (const auto& [key, value] : labels) {
    if (key != requirement.key) continue;
    exists = true;
    for (const std::string& wanted : requirement.values) has_value = has_value || wanted == value;
  }
  if (requirement.op == "exists") return exists;
  if (requirement.op == "!") return !exists;
  const bool is_positive =
      requirement.op == "=" || requirement.op == "==" || requirement.op == "in";
  return is_positive ? has_value : !has_value;
}

// Draws selectors, labels and blanks from few words, so that they often meet.
class Source {
 public:
  explicit Source(unsigned seed) : random_(seed) {}

  size_t Below(size_t limit) { return random_() % limit; }

  std::string Key() { return Pick({"a", "b", "in", "notin", "e.org/a", "A"}); }
  std::string Value() { return Pick({"", "x", "y", "in", "notin", "X", "x.y"}); }
  std::string Blanks() { return Pick({"", "", " ", "\t", " \r\n"}); }

  NaiveRequirement DrawRequirement() {
    NaiveRequirement requirement{Key(), Pick({"=", "==", "!=", "in", "notin", "exists", "!"}), {}};
    const bool is_set = requirement.op == "in" || requirement.op == "notin";
    if (requirement.op == "exists" || requirement.op == "!") return requirement;
    for (size_t count = is_set ? 1 + Below(4) : 1; count > 0; --count) {
      requirement.values.push_back(Value());
    }
    return requirement;
  }

  std::string Write(const NaiveRequirement& requirement) {
    const std::string& op = requirement.op;
    if (op == "exists") return absl::StrCat(Blanks(), requirement.key, Blanks());
    if (op == "!") return absl::StrCat(Blanks(), "!", Blanks(), requirement.key, Blanks());
    if (op != "in" && op != "notin") {
      return absl::StrCat(Blanks(), requirement.key, Blanks(), op, Blanks(),
                          requirement.values.front(), Blanks());
    }
    std::string text =
        absl::StrCat(Blanks(), requirement.key, " ", Blanks(), op, Blanks(), "(", Blanks());
    for (size_t i = 0; i < requirement.values.size(); ++i) {
      absl::StrAppend(&text, i == 0 ? "" : ",", Blanks(), requirement.values[i], Blanks());
    }
    return absl::StrCat(text, ")", Blanks());
  }

  std::string Pick(const std::vector<std::string>& texts) { return texts[Below(texts.size())]; }

 private:
  std::mt19937 random_;
};

TEST(SelectorRandomTest, RandomSelectorsMatchAsASecondImplementationSays) {
  Source source(1);
  int matches = 0;
  for (int i = 0; i < 10000; ++i) {
    std::vector<NaiveRequirement> requirements;
    std::vector<std::string> texts;
    for (size_t count = 1 + source.Below(3); count > 0; --count) {
      requirements.push_back(source.DrawRequirement());
      texts.push_back(source.Write(requirements.back()));
    }
    const std::string text = absl::StrJoin(texts, ",");
    const absl::StatusOr<Selector> selector = Selector::Parse(text);
    ASSERT_THAT(selector, IsOk()) << text;

    // The text form means the same, and is its own.
    const absl::StatusOr<Selector> again = Selector::Parse(selector->text());
    ASSERT_THAT(again, IsOkAndHolds(*selector)) << text;
    ASSERT_EQ(again->text(), selector->text());
    ASSERT_EQ(selector->requirements().size(), requirements.size());

    std::map<std::string, std::string> drawn;
    for (size_t count = source.Below(5); count > 0; --count) drawn[source.Key()] = source.Value();
    Labels labels;
    for (const auto& [key, value] : drawn) {
      labels.emplace(LabelKey::Parse(key).value(), LabelValue::Parse(value).value());
    }
    bool expected = true;
    for (const NaiveRequirement& requirement : requirements) {
      expected = expected && NaiveMatches(requirement, {drawn.begin(), drawn.end()});
    }
    ASSERT_EQ(selector->Matches(labels), expected) << text << " on " << FormatLabels(labels);
    matches += expected ? 1 : 0;
  }
  EXPECT_GT(matches, 1000);
  EXPECT_LT(matches, 9000);
}

// The grammar as a table over tokens, of which words are judged as keys and values elsewhere.
bool NaiveIsSelector(const std::string& text) {
  enum State { kStart, kNegated, kKey, kValue, kDone, kSet, kFirst, kNext };
  State state = kStart;
  const std::string spaced = absl::StrReplaceAll(text, {{"==", " == "},
                                                        {"!=", " != "},
                                                        {"=", " = "},
                                                        {"!", " ! "},
                                                        {"(", " ( "},
                                                        {")", " ) "},
                                                        {",", " , "},
                                                        {"<", " < "}});
  for (const absl::string_view token : absl::StrSplit(spaced, ' ', absl::SkipEmpty())) {
    const bool is_key = LabelKey::Parse(token).ok();
    const bool is_value = LabelValue::Parse(token).ok();
    const bool is_comma = token == ",";
    if (state == kStart && token == "!") {
      state = kNegated;
    } else if (state == kStart && is_key) {
      state = kKey;
    } else if (state == kNegated && is_key) {
      state = kDone;
    } else if (state == kKey && (token == "=" || token == "==" || token == "!=")) {
      state = kValue;
    } else if (state == kKey && (token == "in" || token == "notin")) {
      state = kSet;
    } else if (state == kValue && is_value) {
      state = kDone;
    } else if ((state == kKey || state == kValue || state == kDone) && is_comma) {
      state = kStart;
    } else if (state == kSet && token == "(") {
      state = kFirst;
    } else if (state == kFirst && is_value) {
      state = kNext;
    } else if ((state == kFirst || state == kNext) && is_comma) {
      state = kFirst;
    } else if ((state == kFirst || state == kNext) && token == ")") {
      state = kDone;
    } else {
      return false;
    }
  }
  return state == kKey || state == kValue || state == kDone;
}

TEST(SelectorRandomTest, RandomTextIsASelectorWhenASecondImplementationSaysSo) {
  Source source(2);
  int selectors = 0;
  for (int i = 0; i < 40000; ++i) {
    std::string text;
    for (size_t count = 1 + source.Below(9); count > 0; --count) {
      text += source.Pick({"a", "in", "notin", "e/a", "=", "!", "(", ")", ",", " ", " ", "<", "-"});
    }
    const absl::StatusOr<Selector> selector = Selector::Parse(text);
    ASSERT_EQ(selector.ok(), NaiveIsSelector(text)) << text << ": " << selector.status();
    if (!selector.ok()) continue;
    ++selectors;
    ASSERT_THAT(Selector::Parse(selector->text()), IsOkAndHolds(*selector)) << text;
  }
  EXPECT_GT(selectors, 1000);
}

}  // namespace
}  // namespace autopxe
