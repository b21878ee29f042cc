#include "common/model/selector.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe {
namespace {

using Operator = Selector::Operator;
using Requirement = Selector::Requirement;

constexpr size_t kMaxText = 4096;
constexpr size_t kMaxRequirements = 64;
constexpr size_t kMaxValues = 256;

constexpr absl::string_view kBlanks = " \t\r\n";
constexpr absl::string_view kSigns = "=!(),<>";

absl::Status Malformed(absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("selector ", Quote(text), ": ", what));
}

// `offset` counts from 0.
absl::Status MalformedAt(absl::string_view text, size_t offset, absl::string_view what) {
  return Malformed(text, absl::StrCat("at ", offset + 1, ": ", what));
}

// Reads one selector, one token ahead.
class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) { Advance(); }

  absl::StatusOr<std::vector<Requirement>> ParseRequirements() {
    std::vector<Requirement> requirements;
    do {
      if (requirements.size() == kMaxRequirements) {
        return MalformedAt(text_, next_.offset, "expected 64 requirements at most");
      }
      ASSIGN_OR_RETURN(Requirement requirement, ParseRequirement());
      requirements.push_back(std::move(requirement));
    } while (Take(","));
    if (!IsAtEnd()) return Unexpected("',' or the end");
    return requirements;
  }

 private:
  // A sign, or a word: what lies between signs and blanks. Without text: the end.
  struct Token {
    size_t offset = 0;
    absl::string_view text;
    bool is_word = false;
  };

  void Advance() {
    const size_t begin =
        std::min(text_.find_first_not_of(kBlanks, next_.offset + next_.text.size()), text_.size());
    next_ = {begin, text_.substr(begin, 0), false};
    if (begin == text_.size()) return;
    if (kSigns.find(text_[begin]) == absl::string_view::npos) {
      size_t end = begin;
      while (end < text_.size() && kSigns.find(text_[end]) == absl::string_view::npos &&
             kBlanks.find(text_[end]) == absl::string_view::npos) {
        ++end;
      }
      next_.text = text_.substr(begin, end - begin);
      next_.is_word = true;
      return;
    }
    const absl::string_view two = text_.substr(begin, 2);
    next_.text = two == "==" || two == "!=" ? two : two.substr(0, 1);
  }

  bool IsAtEnd() const { return next_.text.empty(); }
  bool IsAtRequirementEnd() const { return IsAtEnd() || next_.text == ","; }

  bool Take(absl::string_view text) {
    if (next_.text != text) return false;
    Advance();
    return true;
  }

  absl::Status Unexpected(absl::string_view expected) const {
    return MalformedAt(
        text_, next_.offset,
        absl::StrCat("found ", IsAtEnd() ? "the end" : Quote(next_.text), "; expected ", expected));
  }

  absl::StatusOr<LabelKey> TakeKey() {
    absl::StatusOr<LabelKey> key = LabelKey::Parse(next_.text);
    if (!key.ok()) return MalformedAt(text_, next_.offset, key.status().message());
    Advance();
    return key;
  }

  // The empty value if the next token is no word.
  absl::StatusOr<LabelValue> TakeValue() {
    absl::StatusOr<LabelValue> value = LabelValue::Parse(next_.is_word ? next_.text : "");
    if (!value.ok()) return MalformedAt(text_, next_.offset, value.status().message());
    if (next_.is_word) Advance();
    return value;
  }

  absl::StatusOr<Requirement> ParseRequirement() {
    const bool is_negated = Take("!");
    if (!next_.is_word) return Unexpected(is_negated ? "a label key" : "a label key or '!'");
    ASSIGN_OR_RETURN(LabelKey key, TakeKey());
    if (is_negated) return Requirement{std::move(key), Operator::kDoesNotExist, {}};
    if (IsAtRequirementEnd()) return Requirement{std::move(key), Operator::kExists, {}};
    if (Take("=") || Take("==")) return ParseSingle(std::move(key), Operator::kIn);
    if (Take("!=")) return ParseSingle(std::move(key), Operator::kNotIn);
    if (Take("in")) return ParseSet(std::move(key), Operator::kIn);
    if (Take("notin")) return ParseSet(std::move(key), Operator::kNotIn);
    return Unexpected("'=', '==', '!=', in, notin, ',' or the end");
  }

  absl::StatusOr<Requirement> ParseSingle(LabelKey key, Operator op) {
    if (!next_.is_word && !IsAtRequirementEnd()) {
      return Unexpected("a label value, ',' or the end");
    }
    ASSIGN_OR_RETURN(LabelValue value, TakeValue());
    return Requirement{std::move(key), op, {std::move(value)}};
  }

  absl::StatusOr<Requirement> ParseSet(LabelKey key, Operator op) {
    if (!Take("(")) return Unexpected("'('");
    std::vector<LabelValue> values;
    do {
      if (values.size() == kMaxValues) {
        return MalformedAt(text_, next_.offset, "expected 256 values at most");
      }
      ASSIGN_OR_RETURN(LabelValue value, TakeValue());
      values.push_back(std::move(value));
    } while (Take(","));
    if (!Take(")")) {
      return Unexpected(values.back().text().empty() ? "a label value, ',' or ')'" : "',' or ')'");
    }
    std::sort(values.begin(), values.end());
    values.erase(std::unique(values.begin(), values.end()), values.end());
    return Requirement{std::move(key), op, std::move(values)};
  }

  const absl::string_view text_;
  Token next_;
};

std::string FormatValues(const Requirement& requirement, absl::string_view single_sign,
                         absl::string_view set_word) {
  const std::string& key = requirement.key.text();
  if (requirement.values.size() == 1) {
    return absl::StrCat(key, single_sign, requirement.values.front().text());
  }
  const auto append_value = [](std::string* out, const LabelValue& value) {
    out->append(value.text());
  };
  return absl::StrCat(key, " ", set_word, " (",
                      absl::StrJoin(requirement.values, ",", append_value), ")");
}

std::string FormatRequirement(const Requirement& requirement) {
  switch (requirement.op) {
    case Operator::kIn:
      return FormatValues(requirement, "=", "in");
    case Operator::kNotIn:
      return FormatValues(requirement, "!=", "notin");
    case Operator::kExists:
      return requirement.key.text();
    case Operator::kDoesNotExist:
      break;
  }
  return absl::StrCat("!", requirement.key.text());
}

bool Meets(const Labels& labels, const Requirement& requirement) {
  const auto label = labels.find(requirement.key);
  const bool exists = label != labels.end();
  const auto has_value = [&] {
    return std::binary_search(requirement.values.begin(), requirement.values.end(), label->second);
  };
  switch (requirement.op) {
    case Operator::kIn:
      return exists && has_value();
    case Operator::kNotIn:
      return !exists || !has_value();
    case Operator::kExists:
      return exists;
    case Operator::kDoesNotExist:
      break;
  }
  return !exists;
}

}  // namespace

absl::StatusOr<Selector> Selector::Parse(absl::string_view text) {
  if (text.size() > kMaxText) {
    return MalformedAt(text, kMaxText,
                       absl::StrCat("expected 4,096 characters at most, got ", text.size()));
  }
  if (text.find_first_not_of(kBlanks) == absl::string_view::npos) {
    return Malformed(text,
                     "selects every host; expected a requirement such as rack=r1. What every host "
                     "boots is the setting default-distro");
  }
  ASSIGN_OR_RETURN(std::vector<Requirement> requirements, Parser(text).ParseRequirements());
  std::string canonical =
      absl::StrJoin(requirements, ",", [](std::string* out, const Requirement& requirement) {
        out->append(FormatRequirement(requirement));
      });
  // "a in(b,c)" is one shorter than its canonical form.
  if (canonical.size() > kMaxText) {
    return Malformed(text, absl::StrCat("expected 4,096 characters at most, got ", canonical.size(),
                                        " with a blank before each '('"));
  }
  return Selector(std::move(canonical), std::move(requirements));
}

bool Selector::Matches(const Labels& labels) const {
  for (const Requirement& requirement : requirements_) {
    if (!Meets(labels, requirement)) return false;
  }
  return true;
}

}  // namespace autopxe
