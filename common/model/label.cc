#include "common/model/label.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

constexpr size_t kMaxWord = 63;
constexpr size_t kMaxPrefix = 253;

absl::Status Malformed(absl::string_view noun, absl::string_view text, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(noun, " ", Quote(text), ": ", what));
}

bool IsAlphanumeric(char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }

// A key without its prefix, or a value.
bool IsWord(absl::string_view text) {
  if (text.empty() || text.size() > kMaxWord) return false;
  for (const char c : text) {
    if (!IsAlphanumeric(c) && c != '-' && c != '_' && c != '.') return false;
  }
  return IsAlphanumeric(text.front()) && IsAlphanumeric(text.back());
}

bool IsPrefix(absl::string_view text) {
  if (text.size() > kMaxPrefix) return false;
  for (const absl::string_view part : absl::StrSplit(text, '.')) {
    if (part.empty() || part.front() == '-' || part.back() == '-') return false;
    for (const char c : part) {
      const auto u = static_cast<unsigned char>(c);
      if (!absl::ascii_islower(u) && !absl::ascii_isdigit(u) && c != '-') return false;
    }
  }
  return true;
}

}  // namespace

absl::Status LabelKeyRule::Check(absl::string_view text) {
  constexpr absl::string_view kNoun = "label key";
  const size_t slash = text.find('/');
  if (slash != absl::string_view::npos && !IsPrefix(text.substr(0, slash))) {
    return Malformed(kNoun, text,
                     "expected a prefix of lower-case letters, digits and inner '-', in parts "
                     "joined by dots, 253 characters at most, before the '/'");
  }
  if (!IsWord(slash == absl::string_view::npos ? text : text.substr(slash + 1))) {
    return Malformed(kNoun, text,
                     "expected 1 to 63 letters, digits, '-', '_', '.', the first and the last a "
                     "letter or a digit, after at most one prefix such as example.org/");
  }
  return absl::OkStatus();
}

absl::Status LabelValueRule::Check(absl::string_view text) {
  if (text.empty() || IsWord(text)) return absl::OkStatus();
  return Malformed("label value", text,
                   "expected nothing, or 1 to 63 letters, digits, '-', '_', '.', the first and the "
                   "last a letter or a digit");
}

absl::StatusOr<std::pair<LabelKey, LabelValue>> ParseLabel(absl::string_view text) {
  const size_t equals = text.find('=');
  if (equals == absl::string_view::npos) {
    return Malformed("label", text, "expected a key, '=' and a value, such as rack=r1");
  }
  absl::StatusOr<LabelKey> key = LabelKey::Parse(text.substr(0, equals));
  if (!key.ok()) return std::move(key).status();
  absl::StatusOr<LabelValue> value = LabelValue::Parse(text.substr(equals + 1));
  if (!value.ok()) return std::move(value).status();
  return std::make_pair(*std::move(key), *std::move(value));
}

std::string FormatLabels(const Labels& labels) {
  return absl::StrJoin(labels, ",", [](std::string* out, const Labels::value_type& label) {
    absl::StrAppend(out, label.first.text(), "=", label.second.text());
  });
}

}  // namespace autopxe
