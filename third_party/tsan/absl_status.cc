// Makes thread sanitizer see how copies of a Status share what they hold.
//
// The last of them deletes it, and knows itself the last by a count. libabsl, which is not
// instrumented, counts down; this function is defined in the program itself and so takes its place,
// for our objects and for gRPC's libraries alike. called_from_lib does not reach it: libabsl jumps
// to operator delete, which then seems to be called by us.

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

void absl::Status::UnrefNonInlined(uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) == 1) delete shared;
}
