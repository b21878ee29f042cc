#pragma once

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/model/declared_distro.h"

namespace autopxe {

// The command line of a declared kernel: what ExpandCommandLine makes of its arguments, without the
// words that name its initrds.
// Errors: INVALID_ARGUMENT if they use what only a scanned kernel has (NeedsScannedKernel), or if
// with the names of its initrds they are longer than a kernel takes; those of ExpandCommandLine.
// The message says it in words for the screen, without naming the distro.
absl::StatusOr<std::string> ExpandDeclaredArguments(
    const DeclaredKernel& kernel,
    absl::FunctionRef<const std::string*(absl::string_view)> value_of);

}  // namespace autopxe
