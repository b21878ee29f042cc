#include "boot/command_line_words.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "boot/command_line.h"

namespace autopxe {
namespace {

std::string Written(const CommandLineTemplate::Piece& reference) {
  if (!reference.default_text.has_value()) return absl::StrCat("${", reference.text, "}");
  return absl::StrCat("${", reference.text, ":-", *reference.default_text, "}");
}

}  // namespace

std::vector<CommandLineWord> SplitCommandLine(
    const CommandLineTemplate& command_line,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  std::vector<CommandLineWord> words;
  CommandLineWord current;
  const auto end = [&] {
    for (const absl::string_view text : absl::StrSplit(current.text, ' ', absl::SkipEmpty())) {
      words.push_back({std::string(text), current.template_text});
    }
    current = {};
  };
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (piece.is_reference) {
      absl::StrAppend(&current.template_text, Written(piece));
      absl::StrAppend(&current.text, IsLeftToIpxe(piece.text) ? absl::StrCat("${", piece.text, "}")
                                                              : PieceText(piece, value_of));
      continue;
    }
    for (const char c : piece.text) {
      if (c == ' ') {
        end();
      } else {
        current.text += c;
        current.template_text += c;
      }
    }
  }
  end();
  return words;
}

}  // namespace autopxe
