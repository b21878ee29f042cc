#include "common/model/command_line_template.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

constexpr size_t kMaxText = 2047;
constexpr size_t kMaxReference = 64;
constexpr absl::string_view kBeforeDefault = ":-";

bool IsReferenceCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         absl::string_view("._-/:").find(c) != absl::string_view::npos;
}

// `offset` counts from 0.
absl::Status Malformed(absl::string_view text, size_t offset, absl::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("command line ", Quote(text), ": at ", offset + 1, ": ", what));
}

}  // namespace

absl::StatusOr<CommandLineTemplate> CommandLineTemplate::Parse(absl::string_view text) {
  if (text.size() > kMaxText) {
    return Malformed(text, kMaxText,
                     absl::StrCat("expected 2,047 characters at most, got ", text.size()));
  }
  for (size_t i = 0; i < text.size(); ++i) {
    if (!absl::ascii_isprint(static_cast<unsigned char>(text[i]))) {
      return Malformed(text, i, "expected printable ASCII only");
    }
  }

  std::vector<Piece> pieces;
  size_t start = 0;  // Of what is not yet in a piece.
  while (start < text.size()) {
    const size_t open = text.find("${", start);
    if (open != start) {
      pieces.push_back({false, std::string(text.substr(start, open - start)), absl::nullopt});
    }
    if (open == absl::string_view::npos) break;
    const size_t name = open + 2;
    size_t end = name;
    while (end < text.size() && IsReferenceCharacter(text[end]) &&
           !absl::StartsWith(text.substr(end), kBeforeDefault)) {
      ++end;
    }
    if (end == text.size()) return Malformed(text, open, "\"${\" has no '}'");
    const bool has_default = absl::StartsWith(text.substr(end), kBeforeDefault);
    if (text[end] != '}' && !has_default) {
      return Malformed(
          text, end,
          absl::StrCat(
              Quote(text.substr(end, 1)),
              " in a reference; expected letters, digits, '.', '_', '-', '/', ':', then '}'"));
    }
    if (end == name) return Malformed(text, open, "a reference without a name");
    if (end - name > kMaxReference) {
      return Malformed(text, open,
                       absl::StrCat("a name of ", end - name, " characters; expected 64 at most"));
    }
    Piece reference = {true, std::string(text.substr(name, end - name)), absl::nullopt};
    if (has_default) {
      const size_t begin = end + kBeforeDefault.size();
      end = text.find_first_of("${}", begin);
      if (end == absl::string_view::npos) return Malformed(text, open, "\"${\" has no '}'");
      if (text[end] != '}') {
        return Malformed(
            text, end,
            absl::StrCat(Quote(text.substr(end, 1)), " in the default of ", Quote(reference.text),
                         "; a default has no '$', '{' or '}': set the variable "
                         "instead, for the whole server"));
      }
      reference.default_text = std::string(text.substr(begin, end - begin));
    }
    pieces.push_back(std::move(reference));
    start = end + 1;
  }
  return CommandLineTemplate(std::string(text), std::move(pieces));
}

}  // namespace autopxe
