#include "ctl/exit_code.h"

#include "absl/strings/cord.h"

namespace autopxe::ctl {
namespace {

// Marks a status, since a server refuses with INVALID_ARGUMENT as well.
constexpr char kUsage[] = "autopxe.ctl/usage";

}  // namespace

absl::Status UsageError(absl::string_view message) {
  absl::Status status = absl::InvalidArgumentError(message);
  status.SetPayload(kUsage, absl::Cord());
  return status;
}

ExitCode ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kExitOk;
  if (status.GetPayload(kUsage).has_value()) return kExitUsage;
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return kExitUnreachable;
  return kExitRefused;
}

}  // namespace autopxe::ctl
