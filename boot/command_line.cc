#include "boot/command_line.h"

#include <algorithm>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "boot/ipxe_settings.h"
#include "common/model/name.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

using Piece = CommandLineTemplate::Piece;

constexpr absl::string_view kBuiltIns[] = {kAgent,  kAgentAddress, kArch,      kBootIf,
                                           kDistro, kDistroName,   kHost,      kKernel,
                                           kMac,    kRelease,      kRootfsPath};

// By name, each once, in the order of their first use.
std::vector<std::string> References(const CommandLineTemplate& command_line,
                                    absl::FunctionRef<bool(const Piece&)> wanted) {
  std::vector<std::string> names;
  for (const Piece& piece : command_line.pieces()) {
    if (!piece.is_reference || !wanted(piece)) continue;
    if (std::find(names.begin(), names.end(), piece.text) == names.end()) {
      names.push_back(piece.text);
    }
  }
  return names;
}

// What stands for a reference whose variable has this value, or null for none.
// REQUIRES: it has that or a default.
const std::string& TextOf(const Piece& reference, const std::string* value) {
  if (value == nullptr) return *reference.default_text;
  const bool takes_default =
      value->empty() && reference.default_text.has_value() && !IsBuiltInVariable(reference.text);
  return takes_default ? *reference.default_text : *value;
}

}  // namespace

absl::Span<const absl::string_view> BuiltInVariables() { return kBuiltIns; }

bool IsBuiltInVariable(absl::string_view name) {
  return std::find(std::begin(kBuiltIns), std::end(kBuiltIns), name) != std::end(kBuiltIns);
}

bool NeedsScannedKernel(absl::string_view name) {
  return name == kArch || name == kDistroName || name == kKernel || name == kRelease ||
         name == kRootfsPath;
}

bool IsLeftToIpxe(absl::string_view name) {
  if (IsBuiltInVariable(name)) return false;
  return name.find_first_of("/:") != absl::string_view::npos || IsIpxeSetting(name);
}

bool CanBeSet(absl::string_view name) {
  return VariableName::Parse(name).ok() && !IsBuiltInVariable(name) && !IsLeftToIpxe(name);
}

std::vector<std::string> RequiredVariables(const CommandLineTemplate& command_line) {
  return References(command_line, [](const Piece& piece) {
    return !piece.default_text.has_value() && !IsLeftToIpxe(piece.text) &&
           !IsBuiltInVariable(piece.text);
  });
}

std::vector<std::string> UselessDefaults(const CommandLineTemplate& command_line) {
  return References(command_line, [](const Piece& piece) {
    return piece.default_text.has_value() &&
           (IsLeftToIpxe(piece.text) || IsBuiltInVariable(piece.text));
  });
}

const std::string& PieceText(const CommandLineTemplate::Piece& piece,
                             absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  if (!piece.is_reference) return piece.text;
  return TextOf(piece, value_of(piece.text));
}

absl::StatusOr<std::string> ExpandCommandLine(
    const CommandLineTemplate& command_line,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  std::vector<std::string> unset;  // By name, each once, in the order of their first use.
  absl::Status problem;            // The first one.
  std::string text;
  bool after_dollar = false;  // `text` ends with a '$' that begins no reference.
  for (const Piece& piece : command_line.pieces()) {
    if (piece.is_reference && IsLeftToIpxe(piece.text)) {
      absl::StrAppend(&text, "${", piece.text, "}");
      after_dollar = false;
      continue;
    }
    const std::string* const value = piece.is_reference ? value_of(piece.text) : nullptr;
    if (piece.is_reference && value == nullptr && !piece.default_text.has_value()) {
      if (std::find(unset.begin(), unset.end(), piece.text) == unset.end()) {
        unset.push_back(piece.text);
      }
      continue;
    }
    const std::string& part = piece.is_reference ? TextOf(piece, value) : piece.text;
    if (part.empty() || !problem.ok()) continue;
    if (absl::StrContains(part, "${") || (after_dollar && part.front() == '{')) {
      problem = absl::InvalidArgumentError(
          absl::StrCat("its text and the values in it make a \"$\" followed by a \"{\"",
                       piece.is_reference ? absl::StrCat(" at ", Quote(piece.text)) : ""));
    } else if (!std::all_of(part.begin(), part.end(), [](char c) {
                 return absl::ascii_isprint(static_cast<unsigned char>(c));
               })) {
      problem = absl::InvalidArgumentError(absl::StrCat(
          "the value of ", Quote(piece.text), " has characters other than printable ASCII"));
    }
    text += part;
    after_dollar = part.back() == '$';
  }
  if (!unset.empty()) {
    return absl::NotFoundError(absl::StrCat(
        unset.size() == 1 ? "it uses the variable " : "it uses the variables ",
        absl::StrJoin(
            unset, ", ",
            [](std::string* out, const std::string& name) { absl::StrAppend(out, Quote(name)); }),
        unset.size() == 1 ? ", which has no value" : ", which have no value"));
  }
  if (!problem.ok()) return problem;
  if (text.size() > kMaxCommandLine) {
    return absl::InvalidArgumentError(absl::StrCat("its command line has ", text.size(),
                                                   " characters, of which a kernel takes ",
                                                   kMaxCommandLine));
  }
  return text;
}

}  // namespace autopxe
