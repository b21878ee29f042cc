#include "common/model/hostlist.h"

#include <algorithm>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/model/hostlist_fold.h"
#include "common/model/mac_address.h"
#include "common/model/quote.h"
#include "common/status/status_macros.h"

namespace autopxe {
namespace {

// Below 10^18, so that sums of two stay within 64 bits.
constexpr size_t kMaxDigits = 18;

struct Range {
  uint64_t first;
  uint64_t last;
  uint64_t step;
  size_t width;  // Of the shortest numbers, with their leading zeros; 0 if there are none.
};

// A part of a hostlist. Each of its brackets has at least two numbers, so that there are few.
struct Pattern {
  struct Bracket {
    std::string before;  // The characters before it.
    std::vector<Range> ranges;
  };
  std::vector<Bracket> brackets;
  std::string tail;  // The characters after the last bracket.
  size_t at = 0;     // Where it stands in the text.
  bool excluded = false;
  bool has_brackets = false;  // As written: also of one number.
  size_t count = 1;           // Names.
};

bool AreDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_isdigit(c); });
}

bool IsPadded(absl::string_view digits) { return digits.size() > 1 && digits.front() == '0'; }

// REQUIRES: AreDigits(digits), kMaxDigits at most.
uint64_t Number(absl::string_view digits) {
  uint64_t number = 0;
  for (const char c : digits) number = number * 10 + static_cast<uint64_t>(c - '0');
  return number;
}

void AppendNumber(uint64_t number, size_t width, std::string& text) {
  const absl::AlphaNum digits(number);
  if (digits.size() < width) text.append(width - digits.size(), '0');
  absl::StrAppend(&text, digits);
}

uint64_t Count(const Range& range) { return (range.last - range.first) / range.step + 1; }

size_t WidestOf(const std::vector<Range>& ranges) {
  size_t widest = 0;
  for (const Range& range : ranges) {
    const absl::AlphaNum last(range.first + (Count(range) - 1) * range.step);
    widest = std::max({widest, range.width, last.size()});
  }
  return widest;
}

class Parser {
 public:
  explicit Parser(absl::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Pattern>> Parse() {
    RETURN_IF_ERROR(CheckCharacters());
    std::vector<Pattern> patterns;
    size_t included = 0;
    size_t excluded = 0;
    char before = ',';
    while (true) {
      ASSIGN_OR_RETURN(Pattern pattern, ParsePart());
      pattern.excluded = before == '!';
      size_t& names = pattern.excluded ? excluded : included;
      names += pattern.count;
      if (names > kMaxHostlistNames) return TooMany("the part", pattern.at);
      patterns.push_back(std::move(pattern));
      if (at_ == text_.size()) return patterns;
      before = text_[at_++];
    }
  }

  // `at` counts from 0, the message from 1.
  absl::Status Malformed(absl::string_view what, size_t at, absl::string_view then) const {
    return absl::InvalidArgumentError(
        absl::StrCat("hostlist ", Quote(text_), ": ", what, " at character ", at + 1, then));
  }

 private:
  absl::Status CheckCharacters() const {
    if (text_.empty()) {
      return absl::InvalidArgumentError(
          "hostlist \"\": is empty; expected names such as cn[001-128,200], joined by ','");
    }
    if (text_.size() > kMaxHostlistText) {
      return absl::InvalidArgumentError(absl::StrCat("hostlist ", Quote(text_), ": expected ",
                                                     kMaxHostlistText, " characters at most, got ",
                                                     text_.size()));
    }
    for (size_t i = 0; i < text_.size(); ++i) {
      const auto c = static_cast<unsigned char>(text_[i]);
      if (absl::ascii_isspace(c)) {
        return Malformed("a blank", i, "; expected names joined by ',' alone");
      }
      if (!absl::ascii_isprint(c)) {
        return Malformed(absl::StrCat("the octet 0x", absl::Hex(c, absl::kZeroPad2)), i,
                         "; expected printable ASCII only");
      }
      if (absl::string_view("@&^*?").find(text_[i]) != absl::string_view::npos) {
        return Malformed(absl::StrCat("a '", text_.substr(i, 1), "'"), i,
                         "; expected names, brackets, ',' and '!' only");
      }
    }
    return absl::OkStatus();
  }

  absl::Status TooMany(absl::string_view what, size_t at) const {
    return Malformed(what, at,
                     absl::StrCat(" brings it to more than ", kMaxHostlistNames,
                                  " names; expected that many at most"));
  }

  // Leaves at_ at the sign after the part, or at the end.
  absl::StatusOr<Pattern> ParsePart() {
    Pattern pattern;
    pattern.at = at_;
    std::string literal;
    size_t width = 0;  // Of the longest name, but for `literal`.
    while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '!') {
      if (text_[at_] == '[') {
        pattern.has_brackets = true;
        ASSIGN_OR_RETURN(std::vector<Range> ranges, ParseBracket());
        size_t count = 0;
        for (const Range& range : ranges) count += Count(range);
        if (count == 1) {
          AppendNumber(ranges[0].first, ranges[0].width, literal);
        } else {
          pattern.count *= count;
          if (pattern.count > kMaxHostlistNames) return TooMany("the part", pattern.at);
          width += literal.size() + WidestOf(ranges);
          pattern.brackets.push_back({std::move(literal), std::move(ranges)});
          literal.clear();
        }
      } else if (text_[at_] == ']') {
        return Malformed("the ']'", at_, " closes nothing; expected a '[' before it");
      } else {
        literal += text_[at_++];
      }
      if (width + literal.size() > kMaxHostlistName) {
        return Malformed(
            "the name", pattern.at,
            absl::StrCat(" is too long; expected ", kMaxHostlistName, " characters at most"));
      }
    }
    if (at_ == pattern.at) return NoPart();
    pattern.tail = std::move(literal);
    return pattern;
  }

  absl::Status NoPart() const {
    if (at_ == text_.size()) {
      return Malformed(absl::StrCat("the '", text_.substr(at_ - 1, 1), "'"), at_ - 1,
                       " has nothing after it; expected a name such as cn1 or cn[1-4]");
    }
    return Malformed(
        absl::StrCat("the '", text_.substr(at_, 1), "'"), at_,
        text_[at_] == '!'
            ? " has nothing before it that names could be taken out of; expected cn[1-10]!cn3"
            : " has nothing before it; expected a name such as cn1 or cn[1-4]");
  }

  // REQUIRES: text_[at_] == '['. Leaves at_ behind the ']'. Of at most kMaxHostlistNames numbers.
  absl::StatusOr<std::vector<Range>> ParseBracket() {
    const size_t open = at_;
    const size_t close = text_.find_first_of("[]", open + 1);
    if (close == absl::string_view::npos) {
      return Malformed("the '['", open, " is never closed; expected a ']' after its numbers");
    }
    if (text_[close] == '[') {
      return Malformed("the '['", close,
                       absl::StrCat(" stands within the one at character ", open + 1,
                                    "; expected a ']' first, since brackets do not nest"));
    }
    std::vector<Range> ranges;
    uint64_t count = 0;
    for (size_t begin = open + 1; begin <= close;) {
      const size_t end = std::min(text_.find(',', begin), close);
      ASSIGN_OR_RETURN(const Range range, ParseRange(begin, end));
      count += Count(range);
      if (count > kMaxHostlistNames) return TooMany("the range", begin);
      ranges.push_back(range);
      begin = end + 1;
    }
    at_ = close + 1;
    return ranges;
  }

  absl::StatusOr<Range> ParseRange(size_t begin, size_t end) const {
    const absl::string_view text = text_.substr(begin, end - begin);
    const auto malformed = [&](absl::string_view what) {
      return Malformed(absl::StrCat("the range ", Quote(text)), begin, what);
    };
    const size_t slash = text.find('/');
    const size_t dash = text.substr(0, slash).find('-');
    const bool has_step = slash != absl::string_view::npos;
    const bool is_pair = dash != absl::string_view::npos;
    const absl::string_view first = text.substr(0, std::min(dash, slash));
    const absl::string_view last =
        is_pair ? text.substr(dash + 1, has_step ? slash - dash - 1 : slash) : first;
    const absl::string_view step = has_step ? text.substr(slash + 1) : "1";
    if (text.empty()) return malformed(" is empty; expected a number such as 7 or a range 1-16");
    if (!AreDigits(first) || !AreDigits(last) || !AreDigits(step)) {
      return malformed(" is none; expected a number such as 7, or 001-128, or 0-10/2");
    }
    if (std::max({first.size(), last.size(), step.size()}) > kMaxDigits) {
      return malformed(
          absl::StrCat(" is too large; expected numbers of ", kMaxDigits, " digits at most"));
    }
    if (has_step && !is_pair) return malformed(" has a step; expected one after a range only");
    if (Number(step) == 0) return malformed(" has the step 0; expected one of 1 or more");
    if (Number(last) < Number(first)) {
      return malformed(" runs backwards; expected the lower number first");
    }
    // "01-100" pads with zeros to two digits. "1-010", "001-10" and "01-001" could mean several
    // things.
    const bool padded = IsPadded(first);
    if (first.size() != last.size() && (IsPadded(last) || (padded && last.size() < first.size()))) {
      return malformed(" has ends padded differently; expected both of one width, such as 001-010");
    }
    return Range{Number(first), Number(last), Number(step), padded ? first.size() : 0};
  }

  const absl::string_view text_;
  size_t at_ = 0;
};

// Calls `take` with each name of `pattern`, of which the first `bracket` brackets are in `name`
// already, until it fails; leaves `name` as it was.
template <typename Take>
absl::Status Expand(const Pattern& pattern, size_t bracket, std::string& name, const Take& take) {
  const size_t size = name.size();
  if (bracket == pattern.brackets.size()) {
    name += pattern.tail;
    RETURN_IF_ERROR(take(name));
    name.resize(size);
    return absl::OkStatus();
  }
  name += pattern.brackets[bracket].before;
  const size_t stem = name.size();
  for (const Range& range : pattern.brackets[bracket].ranges) {
    // The last step may lead beyond range.last, but stays within 64 bits.
    for (uint64_t number = range.first; number <= range.last; number += range.step) {
      AppendNumber(number, range.width, name);
      RETURN_IF_ERROR(Expand(pattern, bracket + 1, name, take));
      name.resize(stem);
    }
  }
  name.resize(size);
  return absl::OkStatus();
}

// Names in the order in which they came, each once.
class OrderedNames {
 public:
  void Add(const std::string& name) {
    if (places_.try_emplace(name, names_.size()).second) names_.emplace_back(name, true);
  }

  void Remove(const std::string& name) {
    const auto place = places_.find(name);
    if (place == places_.end()) return;
    names_[place->second].second = false;
    places_.erase(place);
  }

  std::vector<std::string> Take() && {
    std::vector<std::string> names;
    names.reserve(places_.size());
    for (auto& [name, present] : names_) {
      if (present) names.push_back(std::move(name));
    }
    return names;
  }

 private:
  std::vector<std::pair<std::string, bool>> names_;  // With whether it was not removed since.
  absl::flat_hash_map<std::string, size_t> places_;  // In names_; of those present.
};

}  // namespace

absl::StatusOr<Hostlist> Hostlist::Parse(absl::string_view text) {
  Parser parser(text);
  ASSIGN_OR_RETURN(const std::vector<Pattern> patterns, parser.Parse());
  OrderedNames names;
  std::string buffer;
  for (const Pattern& pattern : patterns) {
    RETURN_IF_ERROR(Expand(pattern, 0, buffer, [&](const std::string& name) {
      if (pattern.has_brackets && MacAddress::Resembles(name)) {
        return parser.Malformed(
            "the brackets of the part", pattern.at,
            absl::StrCat(" write the MAC ", Quote(name),
                         " in decimal, but its digits are hexadecimal; expected each MAC in full"));
      }
      if (pattern.excluded) {
        names.Remove(name);
      } else {
        names.Add(name);
      }
      return absl::OkStatus();
    }));
  }
  Hostlist hostlist(std::move(names).Take());
  if (hostlist.names_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("hostlist ", Quote(text),
                                                   ": names no host, since its '!' take out all; "
                                                   "expected at least one to be left"));
  }
  return hostlist;
}

Hostlist Hostlist::Of(std::vector<std::string> names) {
  OrderedNames ordered;
  for (const std::string& name : names) ordered.Add(name);
  return Hostlist(std::move(ordered).Take());
}

std::string Hostlist::Format() const { return FoldNames(names_); }

std::string Hostlist::FormatShort(size_t length) const {
  std::string text = Format();
  if (text.size() <= length) return text;
  const size_t comma = text.rfind(',', length);
  text.resize(comma == std::string::npos ? length : comma + 1);
  return absl::StrCat(text, "...");
}

}  // namespace autopxe
