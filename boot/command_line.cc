#include "boot/command_line.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boot/ipxe_settings.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

// Each once, in the order of their first use.
std::vector<std::string> References(const CommandLineTemplate& command_line,
                                    absl::FunctionRef<bool(absl::string_view)> wanted) {
  std::vector<std::string> names;
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (!piece.is_reference || !wanted(piece.text)) continue;
    if (std::find(names.begin(), names.end(), piece.text) == names.end()) {
      names.push_back(piece.text);
    }
  }
  return names;
}

}  // namespace

bool IsBuiltInVariable(absl::string_view name) {
  return name == kRootfsPath || name == kHost || name == kMac || name == kAgentAddress;
}

bool IsLeftToIpxe(absl::string_view name) {
  if (IsBuiltInVariable(name)) return false;
  return name.find_first_of("/:") != absl::string_view::npos || IsIpxeSetting(name);
}

std::vector<std::string> RequiredVariables(const CommandLineTemplate& command_line) {
  return References(command_line, [](absl::string_view name) {
    return !IsLeftToIpxe(name) && !IsBuiltInVariable(name);
  });
}

absl::StatusOr<std::string> ExpandCommandLine(
    const CommandLineTemplate& command_line,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  const std::vector<std::string> unset = References(command_line, [&](absl::string_view name) {
    return !IsLeftToIpxe(name) && value_of(name) == nullptr;
  });
  if (!unset.empty()) {
    return absl::NotFoundError(absl::StrCat(
        unset.size() == 1 ? "it uses the variable " : "it uses the variables ",
        absl::StrJoin(
            unset, ", ",
            [](std::string* out, const std::string& name) { absl::StrAppend(out, Quote(name)); }),
        unset.size() == 1 ? ", which has no value" : ", which have no value"));
  }

  std::string text;
  bool after_dollar = false;  // `text` ends with a '$' that begins no reference.
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (piece.is_reference && IsLeftToIpxe(piece.text)) {
      absl::StrAppend(&text, "${", piece.text, "}");
      after_dollar = false;
      continue;
    }
    const std::string& part = piece.is_reference ? *value_of(piece.text) : piece.text;
    if (part.empty()) continue;
    if (absl::StrContains(part, "${") || (after_dollar && part.front() == '{')) {
      return absl::InvalidArgumentError(
          absl::StrCat("its text and the values in it make a \"$\" followed by a \"{\"",
                       piece.is_reference ? absl::StrCat(" at ", Quote(piece.text)) : ""));
    }
    if (!std::all_of(part.begin(), part.end(),
                     [](char c) { return absl::ascii_isprint(static_cast<unsigned char>(c)); })) {
      return absl::InvalidArgumentError(absl::StrCat("the value of ", Quote(piece.text),
                                                     " has characters other than printable ASCII"));
    }
    text += part;
    after_dollar = part.back() == '$';
  }
  if (text.size() > kMaxCommandLine) {
    return absl::InvalidArgumentError(absl::StrCat("its command line has ", text.size(),
                                                   " characters, of which a kernel takes ",
                                                   kMaxCommandLine));
  }
  return text;
}

}  // namespace autopxe
