// Makes thread sanitizer see how gRPC hands our objects from thread to thread.
//
// Debian's gRPC is not instrumented, and much of what it does between the start of an operation and
// its end is ordered by atomics alone. The functions below are defined in the program itself and so
// take the place of the libraries' when libgrpc++ calls them.

#include <grpc/grpc.h>
#include <grpcpp/support/server_callback.h>
#include <sanitizer/tsan_interface.h>

#include "third_party/tsan/hidden.h"

using ::autopxe::tsan::Hidden;

extern "C" {
// libtsan's, declared in no header.
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
}

namespace {

// While it lives the calling thread is inside gRPC and calls none of ours. gRPC's libraries do call
// the program's copies of std::string's members, which are instrumented: tsan looks away.
class InsideGrpc {
 public:
  InsideGrpc() {
    AnnotateIgnoreReadsBegin(__FILE__, __LINE__);
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  }
  ~InsideGrpc() {
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
    AnnotateIgnoreReadsEnd(__FILE__, __LINE__);
  }
  InsideGrpc(const InsideGrpc&) = delete;
  InsideGrpc& operator=(const InsideGrpc&) = delete;
};

// Carries the order from whoever sends to whoever receives in the same process. It does not tell
// one call from another, just as tsan does not tell one socket from another.
char wire;

bool Sends(const grpc_op& op) {
  return op.op == GRPC_OP_SEND_INITIAL_METADATA || op.op == GRPC_OP_SEND_MESSAGE ||
         op.op == GRPC_OP_SEND_STATUS_FROM_SERVER;
}

void Completed(const grpc_event& event) {
  if (event.type != GRPC_OP_COMPLETE) return;
  __tsan_acquire(event.tag);
  __tsan_acquire(&wire);
}

}  // namespace

extern "C" {

// What happened before an operation's start happened before its end; the tag tells which it is.
grpc_call_error grpc_call_start_batch(grpc_call* call, const grpc_op* ops, size_t nops, void* tag,
                                      void* reserved) {
  static const auto hidden = Hidden<decltype(grpc_call_start_batch)>("grpc_call_start_batch");
  __tsan_release(tag);
  for (size_t i = 0; i < nops; ++i) {
    if (Sends(ops[i])) __tsan_release(&wire);
  }
  const InsideGrpc inside;
  return hidden(call, ops, nops, tag, reserved);
}

grpc_event grpc_completion_queue_next(grpc_completion_queue* queue, gpr_timespec deadline,
                                      void* reserved) {
  static const auto hidden =
      Hidden<decltype(grpc_completion_queue_next)>("grpc_completion_queue_next");
  const grpc_event event = [&] {
    const InsideGrpc inside;
    return hidden(queue, deadline, reserved);
  }();
  Completed(event);
  return event;
}

grpc_event grpc_completion_queue_pluck(grpc_completion_queue* queue, void* tag,
                                       gpr_timespec deadline, void* reserved) {
  static const auto hidden =
      Hidden<decltype(grpc_completion_queue_pluck)>("grpc_completion_queue_pluck");
  const grpc_event event = [&] {
    const InsideGrpc inside;
    return hidden(queue, tag, deadline, reserved);
  }();
  Completed(event);
  return event;
}

// A server's shutdown waits until the last of its calls has been let go, after OnDone.
void grpc_call_unref(grpc_call* call) {
  static const auto hidden = Hidden<decltype(grpc_call_unref)>("grpc_call_unref");
  __tsan_release(&wire);
  hidden(call);
}

void grpc_server_destroy(grpc_server* server) {
  static const auto hidden = Hidden<decltype(grpc_server_destroy)>("grpc_server_destroy");
  hidden(server);
  __tsan_acquire(&wire);
}

}  // extern "C"

namespace grpc::internal {

// A reactor's OnDone comes after its other callbacks. Each of them gives up its part of a counter,
// in our objects or in libgrpc++; whoever gives up the last one calls this.
void ServerCallbackCall::ScheduleOnDone(bool inline_ondone) {
  static const auto hidden = Hidden<void(ServerCallbackCall*, bool)>(
      "_ZN4grpc8internal18ServerCallbackCall14ScheduleOnDoneEb");
  __tsan_acquire(&callbacks_outstanding_);
  hidden(this, inline_ondone);
}

// The same for OnCancel, which comes after the reactor was made.
void ServerCallbackCall::CallOnCancel(ServerReactor* reactor) {
  static const auto hidden = Hidden<void(ServerCallbackCall*, ServerReactor*)>(
      "_ZN4grpc8internal18ServerCallbackCall12CallOnCancelEPNS0_13ServerReactorE");
  __tsan_acquire(&on_cancel_conditions_remaining_);
  hidden(this, reactor);
}

}  // namespace grpc::internal
