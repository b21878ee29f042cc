// Built into every program of the tsan configuration, where the sandbox needs no path to them.
//
// Of a library that is not instrumented tsan still sees malloc, memcpy, read and the like, but not
// the locks and atomics by which the library hands that memory from thread to thread. With
// called_from_lib tsan looks away from those calls; what our code does with the same memory it
// checks.
extern "C" const char* __tsan_default_suppressions() {
  return
      // The registry and its logger are made on first use, under a guard that libspdlog checks.
      "race:spdlog::details::registry::registry\n"
      // Mutex's own deadlock detection, under a spin lock.
      "called_from_lib:libabsl_graphcycles_internal.so\n"
      // A mutex and a pool that are made on first use.
      "called_from_lib:libabsl_random_internal_pool_urbg.so\n"
      "called_from_lib:libabsl_time_zone.so\n"
      // What gRPC builds and hands on: the text and the payloads of a Status, messages of its own.
      "called_from_lib:libabsl_cord.so\n"
      "called_from_lib:libabsl_status.so\n"
      "called_from_lib:libabsl_strings.so\n"
      "called_from_lib:libupb.so\n"
      // gRPC. FinishOp, from its headers, copies the message of an error that gRPC wrote by the
      // program's copies of std::string's members.
      "race:grpc::internal::CallOpClientRecvStatus::FinishOp\n"
      "called_from_lib:libgpr.so\n"
      "called_from_lib:libgrpc.so\n"
      "called_from_lib:libgrpc++.so\n";
}
