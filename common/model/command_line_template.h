#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"

namespace autopxe {

// A kernel command line with `${name}` and `${name:-default}` references, such as
// "root=/dev/nfs nfsroot=${nfs-server}:${rootfs-path} console=${console:-ttyS0} rw". Says nothing
// of what a name means: boot/ does. A value, never invalid.
class CommandLineTemplate {
 public:
  // A run of text, or a reference.
  struct Piece {
    bool is_reference;
    std::string text;                          // The text, or the reference's name.
    absl::optional<std::string> default_text;  // What follows ":-" in a reference; may be empty.

    friend bool operator==(const Piece&, const Piece&) = default;
  };

  // Up to 2,047 printable ASCII characters (Linux's COMMAND_LINE_SIZE on x86 less the NUL). A
  // reference's name is 1 to 64 letters, digits, '.', '_', '-', '/', ':', and ends before the first
  // ":-", with which none of iPXE's own types begins. A default goes to the next '}' and holds no
  // '$' or '{'. Empty is valid: a kernel without arguments.
  // Errors: INVALID_ARGUMENT, naming the text and the position (from 1) of what is wrong.
  static absl::StatusOr<CommandLineTemplate> Parse(absl::string_view text);

  const std::string& text() const { return text_; }
  absl::Span<const Piece> pieces() const { return pieces_; }

  friend bool operator==(const CommandLineTemplate&, const CommandLineTemplate&) = default;

 private:
  CommandLineTemplate(std::string text, std::vector<Piece> pieces)
      : text_(std::move(text)), pieces_(std::move(pieces)) {}

  std::string text_;
  std::vector<Piece> pieces_;
};

}  // namespace autopxe
