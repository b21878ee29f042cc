// Makes thread sanitizer see how copies of a Status share what they hold.
//
// The last of them deletes it, and knows itself the last by a count. libabsl, which is not
// instrumented, counts down; this function is defined in the program itself and so takes its place,
// for our objects and for gRPC's libraries alike. called_from_lib does not reach it: libabsl jumps
// to operator delete, which then seems to be called by us.

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"

extern "C" {
// The sanitizer's, declared in no header.
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}

void absl::Status::UnrefNonInlined(uintptr_t rep) {
  status_internal::StatusRep* const shared = RepToPointer(rep);
  if (shared->ref.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // What a Status of gRPC's holds, gRPC made, and handed from thread to thread unseen.
  AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  delete shared;
  AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}
