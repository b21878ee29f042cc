#pragma once

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/model/command_line_template.h"

namespace autopxe {

// What a reference becomes, and by what.
struct ResolvedReference {
  enum class Source {
    kVariable,  // The value of the variable of that name.
    kDefault,   // What the template itself says for one that is unset or empty.
    kIpxe,      // It stays, and iPXE fills it in.
  };

  std::string name;
  std::string value;  // Empty for kIpxe.
  Source source;

  friend bool operator==(const ResolvedReference&, const ResolvedReference&) = default;
};

// As ExpandCommandLine does it. REQUIRES: `piece` is a reference, which has a value or a default or
// is left to iPXE.
ResolvedReference ResolveReference(
    const CommandLineTemplate::Piece& piece,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of);

// A word of a command line, and what the template says there.
struct CommandLineWord {
  std::string text;           // As the kernel gets it; references left to iPXE stay.
  std::string template_text;  // "nfsroot=${nfs-server}:${rootfs-path}"
  std::vector<ResolvedReference> references = {};  // Those of `template_text`, in its order.

  friend bool operator==(const CommandLineWord&, const CommandLineWord&) = default;
};

// The words of what ExpandCommandLine makes of the same arguments: a template is split at its
// blanks, but not within a reference. Where a value has blanks, several words have one template
// text; what comes to nothing is no word. REQUIRES: ExpandCommandLine succeeds.
std::vector<CommandLineWord> SplitCommandLine(
    const CommandLineTemplate& command_line,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of);

}  // namespace autopxe
