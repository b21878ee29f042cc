#include "common/model/hostlist_fold.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/model/mac_address.h"

namespace autopxe {
namespace {

// Longer digits are text: Hostlist::Parse counts no further.
constexpr size_t kMaxDigits = 18;
// Of a name's numbers, as many of the last ones may fold; those before are text. Bounds the work on
// names of digits upon digits; a place in a building takes four or five.
constexpr size_t kMaxNumbers = 12;

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

// The digits that `text` begins with.
absl::string_view LeadingDigits(absl::string_view text) {
  size_t length = 0;
  while (length < text.size() && IsDigit(text[length])) ++length;
  return text.substr(0, length);
}

// By characters, but by digits as numbers are: 9, 10, 010, 100. A total order.
int CompareNaturally(absl::string_view a, absl::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (IsDigit(a.front()) && IsDigit(b.front())) {
      const absl::string_view a_digits = LeadingDigits(a);
      const absl::string_view b_digits = LeadingDigits(b);
      if (a_digits.size() != b_digits.size()) return a_digits.size() < b_digits.size() ? -1 : 1;
      if (const int difference = a_digits.compare(b_digits); difference != 0) return difference;
      a.remove_prefix(a_digits.size());
      b.remove_prefix(b_digits.size());
    } else {
      if (a.front() != b.front()) return a.front() < b.front() ? -1 : 1;
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return static_cast<int>(b.empty()) - static_cast<int>(a.empty());
}

// A name cut into numbers and the text around each: one more text than numbers.
struct Pieces {
  std::vector<absl::string_view> texts;
  std::vector<absl::string_view> numbers;
};

Pieces Cut(absl::string_view name) {
  std::vector<absl::string_view> numbers;
  for (size_t i = 0; i < name.size();) {
    const absl::string_view digits = LeadingDigits(name.substr(i));
    if (!digits.empty() && digits.size() <= kMaxDigits) numbers.push_back(digits);
    i += std::max<size_t>(digits.size(), 1);
  }
  if (numbers.size() > kMaxNumbers) numbers.erase(numbers.begin(), numbers.end() - kMaxNumbers);
  Pieces pieces;
  const char* begin = name.data();
  for (const absl::string_view number : numbers) {
    pieces.texts.emplace_back(begin, number.data() - begin);
    begin = number.data() + number.size();
  }
  pieces.texts.emplace_back(begin, name.data() + name.size() - begin);
  pieces.numbers = std::move(numbers);
  return pieces;
}

// "7", or "[1-4,07-10]". REQUIRES: in natural order, no number twice.
std::string FoldNumbers(const std::vector<absl::string_view>& numbers) {
  if (numbers.size() == 1) return std::string(numbers.front());
  const auto is_padded = [](absl::string_view n) { return n.size() > 1 && n.front() == '0'; };
  // Whether a range that begins with `first` and has come to `last` goes on with `next`: 9 with 10,
  // 09 with 10, but not 99 of 01-99 with 100, which ClusterShell 1.9 refuses to read.
  const auto continues = [&](absl::string_view first, absl::string_view last,
                             absl::string_view next) {
    if (next.size() != first.size() && (is_padded(first) || is_padded(next))) return false;
    uint64_t last_number = 0;
    uint64_t next_number = 0;
    return absl::SimpleAtoi(last, &last_number) && absl::SimpleAtoi(next, &next_number) &&
           next_number == last_number + 1;
  };
  std::string text = "[";
  for (size_t begin = 0; begin < numbers.size();) {
    size_t last = begin;
    while (last + 1 < numbers.size() &&
           continues(numbers[begin], numbers[last], numbers[last + 1])) {
      ++last;
    }
    absl::StrAppend(&text, begin == 0 ? "" : ",", numbers[begin]);
    if (last > begin) absl::StrAppend(&text, "-", numbers[last]);
    begin = last + 1;
  }
  text += ']';
  return text;
}

// Names that are folded from some number on: alike in all before.
struct Folded {
  std::vector<absl::string_view> numbers;  // Those of the first name.
  size_t place;                            // Of the first name among all, in natural order.
  size_t shared;     // How many of the first numbers are those of the one before; at least.
  std::string text;  // From the first folded number's bracket on.
};

// Names that differ in their numbers only.
struct Group {
  std::vector<absl::string_view> texts;
  std::vector<Folded> names;  // In natural order.
};

// Folds number by number, the last one first: what is alike before a number and behind it becomes
// one. In natural order the former stand together; the latter are found by their text, which is the
// same for the same set. So one pass finds all, in time linear in the text.
void Fold(Group& group) {
  for (size_t number = group.texts.size() - 1; number-- > 0;) {
    std::vector<Folded> folded;
    for (size_t begin = 0; begin < group.names.size();) {
      size_t end = begin + 1;
      while (end < group.names.size() && group.names[end].shared >= number) ++end;

      absl::flat_hash_map<absl::string_view, size_t> by_text;  // What is behind -> in `alike`.
      std::vector<std::vector<size_t>> alike;                  // Of group.names.
      for (size_t i = begin; i < end; ++i) {
        const auto [place, is_new] = by_text.try_emplace(group.names[i].text, alike.size());
        if (is_new) alike.emplace_back();
        alike[place->second].push_back(i);
      }
      for (const std::vector<size_t>& members : alike) {
        std::vector<absl::string_view> numbers;
        numbers.reserve(members.size());
        for (const size_t i : members) numbers.push_back(group.names[i].numbers[number]);
        Folded& first = group.names[members.front()];
        folded.push_back({std::move(first.numbers), first.place,
                          members.front() == begin ? first.shared : number,
                          absl::StrCat(group.texts[number], FoldNumbers(numbers), first.text)});
      }
      begin = end;
    }
    group.names = std::move(folded);
  }
}

}  // namespace

std::string FoldNames(const std::vector<std::string>& names) {
  struct Name {
    absl::string_view text;
    bool is_mac;
  };
  std::vector<Name> sorted;
  sorted.reserve(names.size());
  for (const std::string& name : names) sorted.push_back({name, MacAddress::Resembles(name)});
  std::sort(sorted.begin(), sorted.end(), [](const Name& a, const Name& b) {
    if (a.is_mac != b.is_mac) return b.is_mac;
    // The digits of a MAC are hexadecimal, of one width.
    return a.is_mac ? a.text < b.text : CompareNaturally(a.text, b.text) < 0;
  });

  std::vector<Group> groups;
  absl::flat_hash_map<std::vector<absl::string_view>, size_t> by_texts;  // In `groups`.
  for (size_t place = 0; place < sorted.size(); ++place) {
    Pieces pieces =
        sorted[place].is_mac ? Pieces{{sorted[place].text}, {}} : Cut(sorted[place].text);
    const auto [group_place, is_new] = by_texts.try_emplace(pieces.texts, groups.size());
    if (is_new) groups.push_back({std::move(pieces.texts), {}});
    Group& group = groups[group_place->second];
    size_t shared = 0;
    if (!group.names.empty()) {
      const std::vector<absl::string_view>& before = group.names.back().numbers;
      while (shared < before.size() && before[shared] == pieces.numbers[shared]) ++shared;
    }
    group.names.push_back(
        {std::move(pieces.numbers), place, shared, std::string(group.texts.back())});
  }

  std::vector<std::pair<size_t, std::string>> parts;
  for (Group& group : groups) {
    Fold(group);
    for (Folded& folded : group.names) parts.emplace_back(folded.place, std::move(folded.text));
  }
  std::sort(parts.begin(), parts.end());
  return absl::StrJoin(
      parts, ",", [](std::string* text, const auto& part) { absl::StrAppend(text, part.second); });
}

}  // namespace autopxe
