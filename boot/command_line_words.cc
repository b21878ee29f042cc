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

ResolvedReference ResolveReference(
    const CommandLineTemplate::Piece& piece,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  if (IsLeftToIpxe(piece.text)) return {piece.text, "", ResolvedReference::Source::kIpxe};
  const std::string& text = PieceText(piece, value_of);
  const bool is_default = piece.default_text.has_value() && &text == &*piece.default_text;
  return {piece.text, text,
          is_default ? ResolvedReference::Source::kDefault : ResolvedReference::Source::kVariable};
}

std::vector<CommandLineWord> SplitCommandLine(
    const CommandLineTemplate& command_line,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  std::vector<CommandLineWord> words;
  CommandLineWord current;
  const auto end = [&] {
    for (const absl::string_view text : absl::StrSplit(current.text, ' ', absl::SkipEmpty())) {
      words.push_back({std::string(text), current.template_text, current.references});
    }
    current = {};
  };
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (piece.is_reference) {
      ResolvedReference reference = ResolveReference(piece, value_of);
      absl::StrAppend(&current.template_text, Written(piece));
      absl::StrAppend(&current.text, reference.source == ResolvedReference::Source::kIpxe
                                         ? absl::StrCat("${", piece.text, "}")
                                         : reference.value);
      current.references.push_back(std::move(reference));
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
