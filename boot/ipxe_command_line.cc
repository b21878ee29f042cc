#include "boot/ipxe_command_line.h"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "boot/command_line.h"
#include "common/model/name.h"

namespace autopxe {
namespace {

// Adds the setting that `default_text` is for the template of one label: _default<number>. It is
// the variable's value where that is set. Percent-encoded on its way, the value comes through as it
// is, blanks included, whatever type its setting has. ("--", since it may begin with a dash.)
void AddDefault(IpxeScript& script, const VariableName& name, const std::string& default_text,
                int64_t number) {
  script.SetNumbered("_default", number, default_text);
  const IpxeWord variable = IpxeWord::Of(name);
  script.Add("isset -- ${%s:string} && set _default%s:uristring ${%s:uristring} ||",
             {variable, IpxeWord::Of(number), variable});
}

}  // namespace

void AddCommandLine(IpxeScript& script, const CommandLineTemplate& command_line) {
  IpxeText text;
  std::map<std::pair<std::string, std::string>, int64_t> numbers;  // By variable and default.
  for (const CommandLineTemplate::Piece& piece : command_line.pieces()) {
    if (!piece.is_reference) {
      text.Append(piece.text);
    } else if (piece.text == kMac) {
      // iPXE's own ${mac} can be another one of a host that has several.
      text.AppendText("_mac");
    } else if (piece.text == kDistro) {
      text.AppendText("_distro");
    } else if (IsLeftToIpxe(piece.text)) {
      text.AppendReference(piece.text);
    } else if (IsBuiltInVariable(piece.text) || !piece.default_text.has_value()) {
      text.AppendText(piece.text);
    } else if (const auto name = VariableName::Parse(piece.text); !name.ok()) {
      // Nobody can set it, but a setting of the script's own can have the name.
      text.Append(*piece.default_text);
    } else if (piece.default_text->empty()) {
      text.AppendText(piece.text);
    } else {
      const auto [number, is_new] =
          numbers.try_emplace({piece.text, *piece.default_text}, numbers.size() + 1);
      if (is_new) AddDefault(script, *name, *piece.default_text, number->second);
      text.AppendText(absl::StrCat("_default", number->second));
    }
  }
  script.Set("_cmdline", text);
}

}  // namespace autopxe
