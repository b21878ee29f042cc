#include "boot/declared_arguments.h"

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "boot/command_line.h"
#include "common/model/quote.h"

namespace autopxe {
namespace {

// "initrd=initrd16.img ", in front of the arguments for each of several initrds. kMaxCommandLine
// has room for the one that most kernels have.
constexpr size_t kInitrdWord = 20;

}  // namespace

absl::StatusOr<std::string> ExpandDeclaredArguments(
    const DeclaredKernel& kernel,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of) {
  for (const CommandLineTemplate::Piece& piece : kernel.arguments.pieces()) {
    if (piece.is_reference && NeedsScannedKernel(piece.text)) {
      return absl::InvalidArgumentError(absl::StrCat("it uses the variable ", Quote(piece.text),
                                                     ", which only a scanned distro has"));
    }
  }
  absl::StatusOr<std::string> expanded = ExpandCommandLine(kernel.arguments, value_of);
  const size_t initrds = kernel.initrds.size();
  const size_t longest = kMaxCommandLine - (initrds > 1 ? initrds * kInitrdWord : 0);
  if (expanded.ok() && expanded->size() > longest) {
    return absl::InvalidArgumentError(absl::StrCat("its command line has ", expanded->size(),
                                                   " characters, of which a kernel ", "with ",
                                                   initrds, " initrds takes ", longest));
  }
  return expanded;
}

}  // namespace autopxe
