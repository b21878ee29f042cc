#include "common/runtime/grpc_log.h"

#include "common/runtime/log_line.h"
#include "grpc/support/log.h"

namespace autopxe {
namespace {

// What gRPC calls an error is often a peer's doing (a connection refused, garbage on the port), so
// nothing is an error here.
void Log(gpr_log_func_args* args) { LogLine("grpc").Add("message", args->message).Warn(); }

}  // namespace

void RouteGrpcLog() {
  gpr_set_log_function(Log);
  gpr_set_log_verbosity(GPR_LOG_SEVERITY_ERROR);
}

}  // namespace autopxe
