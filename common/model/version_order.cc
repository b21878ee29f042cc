#include "common/model/version_order.h"

#include <cstddef>

#include "absl/strings/ascii.h"

namespace autopxe {
namespace {

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsLetter(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)); }

// Takes the longest prefix of `text` whose characters all satisfy `accepts`.
template <typename Predicate>
absl::string_view TakeWhile(absl::string_view& text, Predicate accepts) {
  size_t length = 0;
  while (length < text.size() && accepts(text[length])) ++length;
  const absl::string_view taken = text.substr(0, length);
  text.remove_prefix(length);
  return taken;
}

// Compares two runs of digits as the numbers that they are, of any length; an empty run is 0.
int CompareDigits(absl::string_view a, absl::string_view b) {
  const auto is_zero = [](char c) { return c == '0'; };
  TakeWhile(a, is_zero);
  TakeWhile(b, is_zero);
  if (a.size() != b.size()) return a.size() < b.size() ? -1 : 1;
  return a.compare(b);
}

// deb-version(7): '~' sorts before the end, letters before all else.
int DebianWeight(absl::string_view text, size_t at) {
  if (at == text.size()) return 0;
  if (text[at] == '~') return -1;
  const int code = static_cast<unsigned char>(text[at]);
  return IsLetter(text[at]) ? code : code + 256;
}

// Compares two upstream versions or two revisions: in turns a run of non-digits by weight, and a
// run of digits by value.
int CompareDebianParts(absl::string_view a, absl::string_view b) {
  const auto is_no_digit = [](char c) { return !IsDigit(c); };
  while (!a.empty() || !b.empty()) {
    const absl::string_view a_text = TakeWhile(a, is_no_digit);
    const absl::string_view b_text = TakeWhile(b, is_no_digit);
    for (size_t i = 0; i < a_text.size() || i < b_text.size(); ++i) {
      const int difference = DebianWeight(a_text, i < a_text.size() ? i : a_text.size()) -
                             DebianWeight(b_text, i < b_text.size() ? i : b_text.size());
      if (difference != 0) return difference;
    }
    const int difference = CompareDigits(TakeWhile(a, IsDigit), TakeWhile(b, IsDigit));
    if (difference != 0) return difference;
  }
  return 0;
}

struct DebianVersion {
  absl::string_view epoch;
  absl::string_view upstream;
  absl::string_view revision;
};

DebianVersion SplitDebian(absl::string_view text) {
  DebianVersion version;
  absl::string_view rest = text;
  const absl::string_view digits = TakeWhile(rest, IsDigit);
  if (!digits.empty() && !rest.empty() && rest.front() == ':') {
    version.epoch = digits;
    text = rest.substr(1);
  }
  const size_t dash = text.rfind('-');
  version.upstream = text.substr(0, dash);
  if (dash != absl::string_view::npos) version.revision = text.substr(dash + 1);
  return version;
}

// rpmvercmp of rpm 4.15 and later, which knows '~' (before anything, the end included) and '^'
// (after the end, before anything else).
int CompareRpmParts(absl::string_view a, absl::string_view b) {
  const auto is_separator = [](char c) {
    return !IsDigit(c) && !IsLetter(c) && c != '~' && c != '^';
  };
  const auto takes = [](absl::string_view& text, char c) {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
  };
  while (true) {
    TakeWhile(a, is_separator);
    TakeWhile(b, is_separator);

    const bool a_tilde = takes(a, '~');
    const bool b_tilde = takes(b, '~');
    if (a_tilde != b_tilde) return a_tilde ? -1 : 1;
    if (a_tilde) continue;

    const bool a_ended = a.empty();
    const bool b_ended = b.empty();
    const bool a_caret = takes(a, '^');
    const bool b_caret = takes(b, '^');
    if (a_caret && b_caret) continue;
    if (a_caret) return b_ended ? 1 : -1;
    if (b_caret) return a_ended ? -1 : 1;

    if (a_ended || b_ended) return static_cast<int>(b_ended) - static_cast<int>(a_ended);

    // A number is newer than letters.
    if (IsDigit(a.front()) != IsDigit(b.front())) return IsDigit(a.front()) ? 1 : -1;
    const int difference = IsDigit(a.front())
                               ? CompareDigits(TakeWhile(a, IsDigit), TakeWhile(b, IsDigit))
                               : TakeWhile(a, IsLetter).compare(TakeWhile(b, IsLetter));
    if (difference != 0) return difference;
  }
}

}  // namespace

int CompareDebianVersions(absl::string_view a, absl::string_view b) {
  const DebianVersion left = SplitDebian(a);
  const DebianVersion right = SplitDebian(b);
  if (const int difference = CompareDigits(left.epoch, right.epoch); difference != 0) {
    return difference;
  }
  if (const int difference = CompareDebianParts(left.upstream, right.upstream); difference != 0) {
    return difference;
  }
  return CompareDebianParts(left.revision, right.revision);
}

int CompareRpmVersions(absl::string_view a, absl::string_view b) {
  const size_t a_dash = a.rfind('-');
  const size_t b_dash = b.rfind('-');
  if (const int difference = CompareRpmParts(a.substr(0, a_dash), b.substr(0, b_dash));
      difference != 0) {
    return difference;
  }
  const auto release = [](absl::string_view text, size_t dash) {
    return dash == absl::string_view::npos ? absl::string_view() : text.substr(dash + 1);
  };
  return CompareRpmParts(release(a, a_dash), release(b, b_dash));
}

}  // namespace autopxe
